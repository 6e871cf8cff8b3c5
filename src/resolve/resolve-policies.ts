import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatBytes } from "../core/units.ts";
import { inOneStretch } from "../files/signals.ts";
import type { Node } from "../hardware/device.ts";
import { expertBytes } from "../models/bytes.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import type { Admission } from "../policy/cache/admission/admission.ts";
import { admissions } from "../policy/cache/admission/admissions.ts";
import { cachePolicies } from "../policy/cache/caches.ts";
import { type CachePolicy, configured } from "../policy/cache/expert-cache.ts";
import type { Placement, PlacementPolicy } from "../policy/placement/placement.ts";
import { placements } from "../policy/placement/placements.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { OffloadConfig, PoolConfig } from "../sim/config.ts";
import { type Mapping, stageRanks } from "../sim/mapping.ts";
import { memoryTiers } from "../sim/offload/offload-tiers.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { stagePlans } from "../sim/step/stage-plan.ts";
import { type ExpertLoads, expertLoads, type FitSource } from "./expert-loads.ts";
import { type LayerMapChoice, layerMapOf } from "./layer-map.ts";
import { locatedAsync } from "./located.ts";
import { offloadMemory } from "./offload-memory.ts";

/** The deployment that policies are resolved for. */
export interface PolicySetting {
  readonly scenario: Scenario;
  readonly model: ModelSpec;
  readonly moe: MoeFeedForward;
  readonly mapping: Mapping;
  readonly node: Node;
  readonly formats: PoolConfig["formats"];
  readonly weightBits?: PoolConfig["weightBits"];
  /** Replayed routing; null where routing is uniform. */
  readonly source: FitSource | null;
  readonly layerMap: LayerMapChoice;
}

/** A resolved policy, its name for people, and the ledger's entries on it. */
export interface Resolved<T> {
  readonly value: T;
  readonly name: string;
  readonly ledger: readonly LedgerEntry[];
}

/** The placement of a scenario, fitted where its algorithm needs loads. Null value: contiguous without copies. */
export function resolvePlacement(setting: PolicySetting): Promise<Resolved<Placement | null>> {
  const { scenario, moe, mapping, model } = setting;
  const section = scenario.policy.placement;
  if (section === undefined) return Promise.resolve({ value: null, name: "contiguous", ledger: [] });
  return locatedAsync(scenario, ["policy", "placement"], async () => {
    const policy: PlacementPolicy = placements[section.kind];
    const physicalExperts = placedExperts(setting);
    const problems: Problem[] = [];
    if (physicalExperts % mapping.ep !== 0)
      problems.push({
        ...scenario.place(["policy", "placement", "redundant"]),
        at: "policy.placement.redundant",
        expected: `${moe.experts} experts + redundant to be a multiple of ep ${mapping.ep}`,
        found: section.redundant,
      });
    if (section.redundant > 0 && !policy.makesCopies)
      problems.push({
        ...scenario.place(["policy", "placement", "redundant"]),
        at: "policy.placement.redundant",
        expected: `0: ${section.kind} places each expert once`,
        found: section.redundant,
      });
    if (problems.length > 0) throw new InvalidInputError(problems);
    const loads = policy.needs.includes("loads") ? await expertLoads(scenario, section.fit, setting.source, moe) : null;
    const homes = homeNumbers(model);
    const groups = section.groups ?? moe.router.groups?.count ?? 1;
    const nodes = section.nodes ?? nodesOf(setting);
    const input = {
      layers: Math.max(...homes) + 1,
      experts: moe.experts,
      ranks: mapping.ep,
      nodes,
      groups,
      physicalExperts,
      loads: loads === null ? null : loadsByHome(loads, homes, setting),
    };
    const value = atEveryVisit(
      inOneStretch(() => policy.place(input)),
      homes,
    );
    const name =
      section.redundant > 0 ? `${section.kind}, ${section.redundant} redundant experts a layer` : section.kind;
    return { value, name, ledger: loads === null ? [] : [fitEntry("placement", loads)] };
  });
}

/** Physical experts of a layer. Without redundancy they are rounded up to whole ranks; the last ones stay empty. */
function placedExperts({ scenario, moe, mapping }: PolicySetting): number {
  const redundant = scenario.policy.placement?.redundant ?? 0;
  return redundant > 0 ? moe.experts + redundant : Math.ceil(moe.experts / mapping.ep) * mapping.ep;
}

/** Nodes of one stage's expert ranks; 1 where the stage fits one node or does not divide evenly. */
function nodesOf({ mapping, node }: PolicySetting): number {
  const nodes = Math.ceil(stageRanks(mapping) / node.devicesPerNode);
  return mapping.ep % nodes === 0 ? nodes : 1;
}

/** [MoE layers and visits] number of the one that holds the experts, among those that do. */
function homeNumbers(model: ModelSpec): number[] {
  const homes = expertHomes(model);
  const holding = [...new Set(homes)];
  return homes.map((home) => holding.indexOf(home));
}

/**
 * [MoE layers that hold experts x experts] loads of the trace layers that a layer and further visits of its experts
 * replay.
 */
function loadsByHome(loads: ExpertLoads, homes: readonly number[], setting: PolicySetting): Float64Array {
  const { experts } = setting.moe;
  const out = new Float64Array((Math.max(...homes) + 1) * experts);
  for (const [layer, traceLayer] of layerMapOf(setting.layerMap, loads, setting.model).entries())
    for (let expert = 0; expert < experts; expert++)
      out[homes[layer]! * experts + expert]! += loads.uses[traceLayer * experts + expert]!;
  return out;
}

/** The placement of layers that hold experts, laid out by MoE layer and visit. */
function atEveryVisit(placement: Placement, homes: readonly number[]): Placement {
  if (homes.length === placement.layers) return placement;
  const perLayer = placement.ranks * placement.physicalExpertsPerRank;
  const logicalExperts = new Uint16Array(homes.length * perLayer);
  for (const [layer, home] of homes.entries())
    logicalExperts.set(placement.logicalExperts.subarray(home * perLayer, (home + 1) * perLayer), layer * perLayer);
  return { ...placement, layers: homes.length, logicalExperts };
}

const fitEntry = (topic: string, loads: ExpertLoads): LedgerEntry => ({
  topic: `${topic} fit`,
  fidelity: "fitted",
  detail: loads.inSample
    ? `on the rows that are replayed (${loads.source}): optimistic`
    : `on ${loads.source}, not on the rows that are replayed`,
});

/** The expert cache of a scenario; null without offload. */
export function resolveOffload(setting: PolicySetting): Promise<Resolved<OffloadConfig | null>> {
  const { scenario, moe, mapping, node, model } = setting;
  const section = scenario.policy.offload;
  if (section === undefined) return Promise.resolve({ value: null, name: "", ledger: [] });
  return locatedAsync(scenario, ["policy", "offload"], async () => {
    if (setting.source === null)
      refuse({
        expected: "routing to replay: a cache has no hit rate under uniform routing",
        found: "routing.kind uniform",
      });
    const memory = offloadMemory(scenario, section, node);
    checkDiskPath(setting);
    if (section.numa !== undefined && node.sockets === undefined)
      refuse({
        ...scenario.place(["policy", "offload", "numa"]),
        at: "policy.offload.numa",
        expected: "no numa: the node has one socket (hardware.sockets)",
        found: section.numa,
      });
    if (!section.pinned && node.device.hostLink === null)
      refuse({
        ...scenario.place(["policy", "offload", "pinned"]),
        at: "policy.offload.pinned",
        expected: `true: ${node.device.name} reads the host's memory in place`,
        found: false,
      });
    const kind: CachePolicy = cachePolicies[section.kind];
    const parameters = parametersIn(kind.parameters, section);
    const { admission, named: admissionName } = admissionOf(section.admission);
    const sliceBytes = Math.ceil(expertBytes(moe, setting) / mapping.etp);
    // The device of the stage with most MoE layers has the largest share.
    const stageLayers = Math.max(...stagePlans(model, mapping.pp).map(({ expertLayers }) => expertLayers));
    const caches = section.scope === "layer" ? stageLayers : 1;
    const slots = section.slots ?? Math.floor((section.memory ?? 0) / (sliceBytes * caches));
    const perRank = (placedExperts(setting) / mapping.ep) * (section.scope === "layer" ? 1 : stageLayers);
    if (slots < 1)
      refuse({
        ...scenario.place(["policy", "offload", "memory"]),
        at: "policy.offload.memory",
        expected: `at least ${formatBytes(sliceBytes * caches)}: one expert in each of ${caches} caches`,
        found: formatBytes(section.memory ?? 0),
      });
    const loads = kind.needs.includes("popularity") ? await popularity(setting) : null;
    const value: OffloadConfig = {
      policy: configured(kind, parameters),
      admission,
      scope: section.scope,
      slots: Math.min(slots, perRank),
      ...memory,
      pinned: section.pinned,
      diskPath: section.diskPath,
      ...(node.sockets === undefined ? {} : { numa: section.numa ?? "local" }),
      popularity: loads?.uses ?? null,
      overlap: section.overlap,
      logAccessesMax: section.logAccesses,
    };
    const unit = section.scope === "layer" ? "a layer" : "in all";
    return {
      value,
      name: `${section.kind}${inWords(parameters)}, ${value.slots} of ${perRank} experts ${unit}${admissionName}`,
      ledger: loads === null ? unusedFit(section) : [fitEntry("expert cache", loads)],
    };
  });
}

/** The admission of a scenario, and what the name of the cache says of it. */
function admissionOf({ kind, ...section }: NonNullable<Scenario["policy"]["offload"]>["admission"]) {
  const admission: Admission = admissions[kind];
  const values = parametersIn(admission.parameters, section);
  return kind === "always"
    ? { admission: null, named: "" }
    : { admission: { admission, values }, named: `, admission ${kind}${inWords(values)}` };
}

/** Parameters that are set, for a name. */
const inWords = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([key, value]) => ` ${key} ${String(value)}`)
    .join("");

function unusedFit({ kind, fit }: NonNullable<Scenario["policy"]["offload"]>): LedgerEntry[] {
  return fit === undefined
    ? []
    : [{ topic: "expert cache fit", fidelity: "assumed", detail: `not used: ${kind} goes by the run's own accesses` }];
}

/** Refuses a direct path where there is no disk, or no link to send over. */
function checkDiskPath({ scenario, node }: PolicySetting): void {
  if (scenario.policy.offload?.diskPath !== "direct") return;
  const refused = (why: string): never =>
    refuse({
      ...scenario.place(["policy", "offload", "diskPath"]),
      at: "policy.offload.diskPath",
      expected: `host: ${why}`,
      found: "direct",
    });
  if (node.device.hostLink === null) refused(`${node.device.name} has the host's memory as its own`);
  if (memoryTiers(node.tiers) === node.tiers.length) refused("a node has no disk");
}

/** Uses in the fitting set by trace layer of the replayed routing, as the simulator indexes it. */
async function popularity(setting: PolicySetting): Promise<ExpertLoads> {
  const { scenario, source, moe } = setting;
  const loads = await expertLoads(scenario, scenario.policy.offload?.fit, source, moe);
  if (source !== null && loads.layers !== source.replayed.layers)
    refuse({
      expected: `a fitting trace of the ${source.replayed.layers} layers that are replayed`,
      found: `${loads.layers} layers`,
    });
  return loads;
}
