import type { Problem } from "../core/errors.ts";
import type { Node } from "../hardware/device.ts";
import { devicesOf, expertGroupRanks, type Mapping, sharersOf, stageRanks } from "./mapping.ts";
import type { LedgerEntry } from "./result.ts";

/** Devices in reach without a link between nodes: those of a node, or of a rack's scale-up domain. */
export function reachOf({ device, devicesPerNode }: Node): number {
  return device.scaleUp === null ? devicesPerNode : Math.max(devicesPerNode, device.scaleUpDomain);
}

/** Nodes, or domains of racks, that one copy of the experts of a stage is on. */
export const nodesOfExperts = (mapping: Mapping, node: Node): number =>
  Math.ceil(expertGroupRanks(mapping) / reachOf(node));

/** Whether a device of pipeline stage `stage` hands over by the link between nodes: the next stage is out of reach. */
export function handoffLeavesReach(mapping: Mapping, node: Node, stage: number): boolean {
  const ranks = stageRanks(mapping);
  const reach = reachOf(node);
  return Math.floor((stage * ranks) / reach) !== Math.floor(((stage + 2) * ranks - 1) / reach);
}

const devices = (count: number): string => `${count} device${count === 1 ? "" : "s"}`;

/**
 * Mappings that no engine would start on these nodes: tensor parallelism with one rank a node, and replicas over nodes
 * without a link.
 */
export function nodeProblems(mapping: Mapping, node: Node): Problem[] {
  const { device, devicesPerNode } = node;
  const nodes = `nodes of ${devices(devicesPerNode)} (${device.name})`;
  if (devicesPerNode === 1)
    for (const key of ["tp", "etp"] as const)
      if (mapping[key] > 1)
        return [
          {
            at: `parallel.${key}`,
            expected: `1 on ${nodes}: ${mapping[key]} ranks would be ${mapping[key]} nodes`,
            found: mapping[key],
            hint: "if they share a node, set hardware.devicesPerNode; over nodes, use pp or dp",
          },
        ];
  const reach = reachOf(node);
  const all = devicesOf(mapping);
  if (device.scaleOut !== null || all <= reach) return [];
  const key =
    mapping.pp > 1 && stageRanks(mapping) <= reach
      ? "pp"
      : mapping.tp > reach
        ? "tp"
        : sharersOf(mapping) > reach
          ? "cp"
          : "dp";
  return [
    {
      at: `parallel.${key}`,
      expected: `at most ${devices(reach)} in a replica on ${nodes} without a link between nodes, here ${all}`,
      found: mapping[key],
      hint: "if they share a node, set hardware.devicesPerNode; else name a device with a scaleOut link",
    },
  ];
}

/**
 * Notes on a mapping's use of the network between nodes: what engines advise against, what the simulation simplifies.
 */
export function nodeLedger(mapping: Mapping, node: Node): LedgerEntry[] {
  const { device, devicesPerNode } = node;
  const reach = reachOf(node);
  const entries: LedgerEntry[] = [];
  const say = (detail: string) => entries.push({ topic: "nodes", fidelity: "assumed", detail });
  const groups = [
    [mapping.tp, "tensor-parallel"],
    [mapping.etp, "expert-tensor-parallel"],
    // A context-parallel group is every tp-th of these devices.
    ...(mapping.cp > 1 ? ([[sharersOf(mapping), "context-parallel"]] as const) : []),
    ...(mapping.edp > 1 ? ([[expertGroupRanks(mapping), "expert"]] as const) : []),
  ] as const;
  for (const [ranks, kind] of groups) {
    if (ranks > reach)
      say(
        `${kind} groups of ${ranks} span ${Math.ceil(ranks / devicesPerNode)} nodes of ${devices(devicesPerNode)}: ` +
          `their collectives of every layer cross ${device.scaleOut?.name ?? "nodes"}`,
      );
    else if (ranks > 1 && reach % ranks !== 0 && stageRanks(mapping) > reach)
      say(`${kind} groups of ${ranks} do not divide ${devices(reach)} that share links: each is taken as within them`);
  }
  return entries;
}

/** What is said of several copies of the set of experts. */
export function expertGroupLedger(mapping: Mapping): LedgerEntry[] {
  if (mapping.edp === 1) return [];
  return [
    {
      topic: "expert data parallelism",
      fidelity: "assumed",
      detail:
        `${mapping.edp} copies of all experts, each on ${expertGroupRanks(mapping)} consecutive devices and for the tokens of the attention ranks there; ` +
        "all copies wait for the slowest in every layer, as the ranks of a context-parallel group do; ranks that share nothing but the step would " +
        "wait at its end alone",
    },
  ];
}
