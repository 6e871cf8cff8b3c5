import { type Mapping, moeShape, stageRanks } from "../../sim/mapping.ts";
import { reachOf } from "../../sim/mapping-over-nodes.ts";
import { mappingsOf } from "../../sim/mappings.ts";
import type { PlanQuestion } from "./question.ts";
import type { Site } from "./sites.ts";

/** How a replica is spread over devices. */
export interface Layout {
  readonly devices: number;
  readonly mapping: Mapping;
  /** `TP2 DP4 EP8`. */
  readonly name: string;
  /** Value of `parallel`, without replicas. */
  readonly parallel: Readonly<Record<string, number>>;
}

/** Nodes of one replica at most, where nobody said how many devices it has. */
const nodesMax = 4;

/** Devices of one replica to choose from: those that are stated; else powers of two up to a node, then two and four nodes. */
function replicaDevices({ plan }: PlanQuestion, { node }: Site, devicesMax: number): number[] {
  const own = plan.devices ?? defaultDevices(node.devicesPerNode, reachOf(node));
  return own.filter((devices) => devices <= devicesMax);
}

function defaultDevices(perNode: number, reach: number): number[] {
  const counts = new Set<number>();
  for (let devices = 1; devices < perNode; devices *= 2) counts.add(devices);
  for (let nodes = 1; nodes <= nodesMax; nodes *= 2) counts.add(nodes * perNode);
  for (let devices = perNode; devices < reach; devices *= 2) counts.add(devices);
  return [...counts].sort((a, b) => a - b);
}

/** Layouts of a replica on a site that the question allows, those of fewer devices first. */
export function layoutsOf(question: PlanQuestion, site: Site, devicesMax: number): Layout[] {
  const { plan } = question;
  const allowed = (mapping: Mapping): boolean =>
    Object.entries(plan.parallel).every(
      ([degree, values]) => values === undefined || values.includes(mapping[degree as keyof Mapping]),
    );
  const isListed = plan.mappings === "all" ? () => true : isStandard(site, plan.parallel);
  return replicaDevices(question, site, devicesMax).flatMap((devices) =>
    [...mappingsOf(site.model, site.node, devices)]
      .filter((mapping) => allowed(mapping) && isListed(mapping))
      .map((mapping) => ({ devices, mapping, name: layoutName(mapping), parallel: parallelOf(mapping) })),
  );
}

/**
 * What engines are usually started with: no context parallelism, one copy of the experts, a pipeline over nodes alone, and experts
 * whole on ranks or sliced over all. A degree that the question states is as it states it.
 */
function isStandard({ model, node }: Site, stated: PlanQuestion["plan"]["parallel"]): (mapping: Mapping) => boolean {
  const experts = moeShape(model) !== null;
  const reach = reachOf(node);
  return (mapping) => {
    const { cp, pp, ep, etp, edp } = mapping;
    const whole = etp === 1 && ep === stageRanks(mapping);
    const sliced = ep === 1 && etp === stageRanks(mapping);
    const overNodes = pp === 1 || stageRanks(mapping) === reach;
    return (
      (cp === 1 || stated.cp !== undefined) &&
      (edp === 1 || stated.edp !== undefined) &&
      (overNodes || stated.pp !== undefined) &&
      (!experts || whole || sliced || stated.ep !== undefined || stated.etp !== undefined)
    );
  };
}

const parallelOf = (mapping: Mapping): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(mapping).filter(([degree, value]) => value > 1 || degree === "ep"));

/** Degrees above 1 in words; `1 device` without any. */
function layoutName({ tp, cp, dp, pp, ep, etp, edp }: Mapping): string {
  const parts = [
    ...(tp > 1 ? [`TP${tp}`] : []),
    ...(cp > 1 ? [`CP${cp}`] : []),
    ...(dp > 1 ? [`DP${dp}`] : []),
    ...(ep > 1 ? [`EP${ep}`] : []),
    ...(etp > 1 && etp !== tp ? [`ETP${etp}`] : []),
    ...(edp > 1 ? [`EDP${edp}`] : []),
    ...(pp > 1 ? [`PP${pp}`] : []),
  ];
  return parts.length === 0 ? "1 device" : parts.join(" ");
}
