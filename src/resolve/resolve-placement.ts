import { InvalidInputError, type Problem } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatNumber, formatPercent } from "../core/units.ts";
import { inOneStretch } from "../files/signals.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import { contiguous } from "../policy/placement/contiguous.ts";
import { keptOf, leftInPlace, placeKept } from "../policy/placement/kept-experts.ts";
import type {
  Placement,
  PlacementInput,
  PlacementPolicy,
  PlacementProof,
  PlacementTools,
} from "../policy/placement/placement.ts";
import { placements } from "../policy/placement/placements.ts";
import { stageRanks } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { solveHere } from "../solver/solver.ts";
import { type ExpertLoads, expertLoads } from "./expert-loads.ts";
import { layerMapOf } from "./layer-map.ts";
import { locatedAsync } from "./located.ts";
import { fitEntry, type PolicySetting, placedExperts, type Resolved } from "./policy-setting.ts";

/** The placement of a scenario, fitted where its algorithm needs loads. Null value: contiguous without copies. */
export function resolvePlacement(setting: PolicySetting): Promise<Resolved<Placement | null>> {
  const { scenario, moe, mapping, model } = setting;
  const section = scenario.policy.placement;
  const kept = keptInModel(setting);
  if (section === undefined && kept === null) return Promise.resolve({ value: null, name: "contiguous", ledger: [] });
  if (section === undefined) return contiguousKept(setting, kept!);
  return locatedAsync(scenario, ["policy", "placement"], async () => {
    const policy: PlacementPolicy = placements[section.kind];
    const physicalExperts = placedExperts(setting);
    const problems: Problem[] = kept === null ? [] : keptProblems(setting, kept, policy);
    if (kept === null && physicalExperts % mapping.ep !== 0)
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
    const proofs: PlacementProof[] = [];
    const tools: PlacementTools = { solve: solveHere, prove: (proof) => proofs.push(proof) };
    const placed = await inOneStretch(() => {
      const place = (of: PlacementInput) => policy.place(of, parametersIn(policy.parameters, section), tools);
      return kept === null ? place(input) : placeKept(input, kept, section.redundant, place);
    });
    const value = atEveryVisit(placed, homes);
    const name =
      section.redundant > 0 ? `${section.kind}, ${section.redundant} redundant experts a layer` : section.kind;
    return {
      value,
      name,
      ledger: [
        ...(loads === null ? [] : [fitEntry("placement", loads)]),
        ...proofs.map(proofEntry),
        ...(kept === null ? [] : [keptEntry(setting, kept)]),
      ],
    };
  });
}

/** [layers that hold experts][experts] 1 for each that transforms have left in the model; null where they took none. */
function keptInModel({ source, model, moe, layerMap }: PolicySetting): Uint8Array | null {
  const table = source?.replayed;
  if (table?.kept === undefined) return null;
  const homes = homeNumbers(model);
  const { experts } = moe;
  const kept = new Uint8Array((Math.max(...homes) + 1) * experts);
  // Experts that any visit chooses from are held.
  for (const [layer, traceLayer] of layerMapOf(layerMap, table, model).entries())
    for (let expert = 0; expert < experts; expert++)
      if (table.kept[traceLayer * experts + expert] === 1) kept[homes[layer]! * experts + expert] = 1;
  return kept;
}

/** Kept experts in the order of their numbers, as an engine lays out a model that has these alone. */
async function contiguousKept(setting: PolicySetting, kept: Uint8Array): Promise<Resolved<Placement | null>> {
  const { moe, mapping, model } = setting;
  const homes = homeNumbers(model);
  const input = {
    layers: Math.max(...homes) + 1,
    experts: moe.experts,
    ranks: mapping.ep,
    nodes: 1,
    groups: 1,
    physicalExperts: placedExperts(setting),
    loads: null,
  };
  const value = atEveryVisit(await placeKept(input, kept, 0, (of) => contiguous.place(of)), homes);
  return { value, name: "contiguous", ledger: [keptEntry(setting, kept)] };
}

function keptProblems({ scenario, moe, mapping }: PolicySetting, kept: Uint8Array, policy: PlacementPolicy): Problem[] {
  const section = scenario.policy.placement!;
  const problems: Problem[] = [];
  if (policy.needs.some((need) => need !== "loads"))
    problems.push({
      ...scenario.place(["policy", "placement", "kind"]),
      at: "policy.placement.kind",
      expected: "a policy that goes by loads alone, for a model that transforms have taken experts out of",
      found: section.kind,
    });
  const counts = Array.from(
    { length: kept.length / moe.experts },
    (_, layer) => keptOf(kept, moe.experts, layer).length,
  );
  const uneven = counts.find((count) => section.redundant > 0 && (count + section.redundant) % mapping.ep !== 0);
  if (uneven !== undefined)
    problems.push({
      ...scenario.place(["policy", "placement", "redundant"]),
      at: "policy.placement.redundant",
      expected: `the ${uneven} experts that are left of a layer + redundant to be a multiple of ep ${mapping.ep}`,
      found: section.redundant,
    });
  return problems;
}

/** What the ledger says of the experts that are left, and of a layout that does not place them anew. */
function keptEntry({ moe, mapping }: PolicySetting, kept: Uint8Array): LedgerEntry {
  const counts = Array.from(
    { length: kept.length / moe.experts },
    (_, layer) => keptOf(kept, moe.experts, layer).length,
  );
  const { fewest, most, meanMost } = leftInPlace(kept, moe.experts, mapping.ep);
  const [least, largest] = [Math.min(...counts), Math.max(...counts)];
  const left =
    mapping.ep === 1
      ? ""
      : `, placed anew; left where they were, ranks would hold ${fewest} to ${most} of a layer, the fullest ${formatNumber(meanMost, 4)} on average`;
  return {
    topic: "experts left",
    fidelity: "emulated",
    detail: `${least === largest ? least : `${least} to ${largest}`} of ${moe.experts} in a layer hold weights${left}; what it does to answers is not simulated`,
  };
}

/** What the ledger says of the problem that a policy solved. */
function proofEntry({ problem, objective, bound, gap, proved, solver, cut }: PlacementProof): LedgerEntry {
  const found = `${problem}: ${formatNumber(objective, 4)}, no less than ${formatNumber(bound, 4)}`;
  const quality = proved ? "proved" : `gap ${Number.isFinite(gap) ? formatPercent(gap, 2) : "unknown"}`;
  const ended = cut ? "; ended by its limit of time, so that another machine may find another" : "";
  return { topic: "placement solver", fidelity: "fitted", detail: `${solver}: ${found} (${quality}${ended})` };
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
