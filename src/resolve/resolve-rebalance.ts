import { InfeasibleError, InvalidInputError, type Problem } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { sum } from "../core/statistics.ts";
import { formatBytes, formatCount } from "../core/units.ts";
import { expertBytes } from "../models/bytes.ts";
import { expertHomes } from "../models/visits.ts";
import { livePlacements } from "../policy/placement/live-placements.ts";
import type { LivePlacementPolicy, Placement, PlacementInput, PlacementLimits } from "../policy/placement/placement.ts";
import { physicalExpertsOf } from "../policy/placement/placement-measures.ts";
import { rankRooms } from "../policy/placement/rank-rooms.ts";
import type { RebalancePlan, RebalancePolicy } from "../policy/rebalance/rebalance.ts";
import { rebalances } from "../policy/rebalance/rebalances.ts";
import type { RebalanceConfig } from "../sim/config.ts";
import { devicesOf, stageRanks } from "../sim/mapping.ts";
import { hostTier } from "../sim/offload/offload-tiers.ts";
import { blankPlacement } from "./blank-placement.ts";
import { located } from "./located.ts";
import { type PolicySetting, placedExperts, type Resolved } from "./policy-setting.ts";
import { rankDistances, rankLimits } from "./rank-limits.ts";

const path = ["policy", "placement", "rebalance"];

/**
 * How experts are placed anew while replicas serve, beginning with `first`, null: contiguous without copies. Undefined value: they
 * stay.
 */
export function resolveRebalance(
  setting: PolicySetting,
  first: Placement | null,
): Resolved<RebalanceConfig | undefined> {
  const { scenario, moe, mapping } = setting;
  const section = scenario.policy.placement;
  if (section?.rebalance === undefined) return { value: undefined, name: "", ledger: [] };
  const { kind } = section.rebalance;
  const policy: RebalancePolicy = rebalances[kind];
  const plan = policy.plan(parametersIn(policy.parameters, section.rebalance));
  const placement: LivePlacementPolicy = livePlacements[plan.placement];
  const problems: Problem[] = [];
  const say = (keys: readonly string[], expected: string, found: unknown) =>
    problems.push({ ...scenario.place(keys), at: keys.join("."), expected, found });
  if (setting.source === null)
    say(path, "nothing beside uniform routing: it has no experts that are hotter than others for good", kind);
  if (mapping.ep === 1) say(path, "nothing with parallel.ep 1: one rank holds every expert", kind);
  if (mapping.edp > 1)
    say(path, "nothing with parallel.edp above 1: each copy of all experts would have to move", kind);
  if (scenario.policy.offload !== undefined)
    say(path, "nothing beside policy.offload: experts that change ranks between caches are not modelled", kind);
  const slots = first === null ? placedExperts(setting) : physicalExpertsOf(first);
  const redundant = section.kind === "file" ? slots - moe.experts : section.redundant;
  if (redundant > 0 && !placement.makesCopies)
    say([...path, "policy"], `an algorithm that makes copies, for ${redundant} redundant experts`, plan.placement);
  if (plan.source === "host" && hostTier(setting.node) === undefined)
    say(path, "a system with host memory, which holds every expert", kind);
  if (problems.length > 0) throw new InvalidInputError(problems);
  const blank = blankPlacement(setting, slots);
  const limits = limitsOf(setting, blank);
  // The map at the start is of the same policy: it goes on with the same parameters.
  const same = section.kind === plan.placement;
  const value: RebalanceConfig = {
    name: kind,
    plan,
    placement,
    ...(same ? { values: parametersIn(placement.parameters, section) } : {}),
    nodes: blank.nodes,
    groups: blank.groups,
    limits,
  };
  located(scenario, path, () => tryOut(value, blank));
  if (plan.source === "host") checkHostMemory(setting);
  return { value, name: kind, ledger: [{ topic: "rebalancing", fidelity: "emulated", detail: inWords(kind, plan) }] };
}

/** What later maps have to keep as the first one does. Limits of memory are dealt out to layers once, for all maps. */
function limitsOf(setting: PolicySetting, blank: PlacementInput): PlacementLimits {
  const { scenario } = setting;
  const { twins } = scenario.policy.placement!;
  const { rankSpeed, ...copies } = rankLimits(setting, blank.layers).value;
  const distance = rankDistances(setting);
  return {
    ...(Object.keys(copies).length === 0 ? {} : { rooms: rankRooms({ ...blank, ...copies }) }),
    ...(rankSpeed === undefined ? {} : { rankSpeed }),
    ...(distance === null ? {} : { distance }),
    ...(twins === undefined ? {} : { twins }),
    seed: scenario.seed,
  };
}

/** Whether the algorithm can place these experts at all, in the layer with least room. */
function tryOut({ placement, values, limits }: RebalanceConfig, blank: PlacementInput): void {
  const { layers, experts, ranks } = blank;
  const loads = new Float64Array(experts).fill(1);
  const rows = Array.from({ length: layers }, (_, layer) => limits.rooms?.slice(layer * ranks, (layer + 1) * ranks));
  const [rooms] = rows.sort((a, b) => (a === undefined || b === undefined ? 0 : sum(a) - sum(b)));
  const input = { ...blank, ...limits, ...(rooms === undefined ? {} : { rooms }), layers: 1, loads, windows: [loads] };
  placement.place({ ...input, previous: null }, values);
}

/** Every replica has one copy of the experts of its stages in the memory of each of its nodes. */
function checkHostMemory({ model, moe, mapping, node, formats, weightBits }: PolicySetting): void {
  const memory = hostTier(node)!;
  const layers = Math.ceil(new Set(expertHomes(model)).size / mapping.pp);
  const stages = Math.min(mapping.pp, Math.ceil(node.devicesPerNode / stageRanks(mapping)));
  const replicas = Math.max(1, Math.floor(node.devicesPerNode / devicesOf(mapping)));
  const count = moe.experts * layers * stages * replicas;
  const bytes = count * expertBytes(moe, { formats, weightBits });
  if (bytes > memory.bytes)
    throw new InfeasibleError(
      `policy.placement.rebalance copies experts out of host memory: ${formatCount(count)} experts need ` +
        `${formatBytes(bytes)} on a node, ${memory.id} has ${formatBytes(memory.bytes)}`,
    );
}

const ways: Readonly<Record<RebalancePlan["moves"], string>> = {
  between: "forward passes wait until the slowest link of each layer is done, layer after layer",
  beside:
    "experts move beside forward passes, layer after layer; an exchange and what moves beside it get half of the link each",
  withinPass: "experts are copied beside the next forward pass, and the one after it waits for what is late",
};

function inWords(kind: string, { placement, windowPasses, moves, source }: RebalancePlan): string {
  const loads = windowPasses === null ? "since a layer was last placed" : `of the last ${windowPasses} forward passes`;
  const from =
    source === "host"
      ? "from a copy in each node's memory, at the rates of host links and memory"
      : "from the nearest rank that holds them, over scale-up links in a node, else scale-out";
  return (
    `${kind}: maps by ${placement} from the loads ${loads}, each replica its own; ${from}; ${ways[moves]}. ` +
    "Making a map, summing loads over ranks and copies inside a device take no time; with pipeline stages, " +
    "steps in flight keep the map that they were formed with"
  );
}
