import { InvalidInputError, type Problem } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { formatNumber, formatPercent } from "../core/units.ts";
import { inOneStretch } from "../files/signals.ts";
import { contiguous } from "../policy/placement/contiguous.ts";
import { placeKept } from "../policy/placement/kept-experts.ts";
import {
  needsOf,
  type Placement,
  type PlacementInput,
  type PlacementPolicy,
  type PlacementProof,
  type PlacementTools,
} from "../policy/placement/placement.ts";
import { physicalExpertsOf } from "../policy/placement/placement-measures.ts";
import { placements } from "../policy/placement/placements.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { type SolveRunner, solveHere } from "../solver/solver.ts";
import { blankPlacement } from "./blank-placement.ts";
import { type GivenMap, givenMapOf, mapOfPlacement, placementOfMap } from "./expert-map-file.ts";
import { keptEntry, keptInModel, keptProblems } from "./kept-in-model.ts";
import { locatedAsync } from "./located.ts";
import { expertHomeNumbers, placementStatistics } from "./placement-statistics.ts";
import { type PolicySetting, placedExperts, type Resolved } from "./policy-setting.ts";
import { rankDistances, rankLimits } from "./rank-limits.ts";

/** A resolved placement, and how good its policy's solvers know it to be. */
export interface ResolvedPlacement extends Resolved<Placement | null> {
  readonly proofs: readonly PlacementProof[];
}

/**
 * The placement of a scenario, fitted where its algorithm needs loads. Null value: contiguous without copies. `inUse`: the map that
 * policies change which change one, by MoE layer and visit, where it has as many slots; else what the scenario calls `previous`.
 */
export function resolvePlacement(
  setting: PolicySetting,
  solve: SolveRunner = solveHere,
  inUse: Placement | null = null,
): Promise<ResolvedPlacement> {
  const { scenario, moe, mapping, model } = setting;
  const section = scenario.policy.placement;
  const kept = keptInModel(setting);
  if (section === undefined && kept === null)
    return Promise.resolve({ value: null, name: "contiguous", ledger: [], proofs: [] });
  if (section === undefined) return contiguousKept(setting, kept!);
  return locatedAsync(scenario, ["policy", "placement"], async () => {
    const policy: PlacementPolicy = scenario.policies.placements[section.kind]!;
    const values = parametersIn(policy.parameters, section);
    const needs = needsOf(policy, values);
    const given = needs.has("map") ? await givenMapOf(setting, placedExperts(setting)) : null;
    const physicalExperts = given === null ? placedExperts(setting) : physicalExpertsOf(given.placement);
    const problems: Problem[] = kept === null ? [] : keptProblems(setting, kept, needs);
    if (kept === null && physicalExperts % mapping.ep !== 0)
      problems.push({
        ...scenario.place(["policy", "placement", "redundant"]),
        at: "policy.placement.redundant",
        expected: `${moe.experts} experts + redundant to be a multiple of ep ${mapping.ep}`,
        found: section.redundant,
      });
    if (section.redundant > 0 && !policy.makesCopies && policy.unequalCounts !== true)
      problems.push({
        ...scenario.place(["policy", "placement", "redundant"]),
        at: "policy.placement.redundant",
        expected: `0: ${section.kind} places each expert once`,
        found: section.redundant,
      });
    if (problems.length > 0) throw new InvalidInputError(problems);
    const statistics = await placementStatistics(setting, needs);
    const shape = blankPlacement(setting, physicalExperts);
    const limits = rankLimits(setting, shape.layers);
    const distance = rankDistances(setting);
    const blank = {
      ...shape,
      ...limits.value,
      ...(distance === null ? {} : { distance }),
      ...(section.twins === undefined ? {} : { twins: section.twins }),
      seed: scenario.seed,
      ...(given === null ? {} : { map: given.placement }),
    };
    const previous =
      inUse !== null && physicalExpertsOf(inUse) === physicalExperts
        ? placementOfMap(mapOfPlacement(inUse, model), mapping.ep)
        : section.previous === undefined
          ? null
          : placements[section.previous].place(blank);
    const input: PlacementInput = { ...blank, ...statistics.value, previous };
    const proofs: PlacementProof[] = [];
    const tools: PlacementTools = { solve, prove: (proof) => proofs.push(proof) };
    const placed = await inOneStretch(() => {
      const place = (of: PlacementInput) => policy.place(of, values, tools);
      return kept === null ? place(input) : placeKept(input, kept, section.redundant, place);
    });
    const value = atEveryVisit(placed, expertHomeNumbers(model));
    const kind = given === null ? section.kind : `${section.kind} ${given.input.name}`;
    const redundant = given === null ? section.redundant : physicalExperts - moe.experts;
    return {
      value,
      name: redundant > 0 ? `${kind}, ${redundant} redundant experts a layer` : kind,
      proofs,
      ledger: [
        ...statistics.ledger,
        ...limits.ledger,
        ...(given === null ? [] : [givenEntry(given)]),
        ...proofs.map(proofEntry),
        ...(kept === null ? [] : [keptEntry(setting, kept)]),
      ],
      ...(given === null ? {} : { inputs: [given.input] }),
    };
  });
}

/** Kept experts in the order of their numbers, as an engine lays out a model that has these alone. */
async function contiguousKept(setting: PolicySetting, kept: Uint8Array): Promise<ResolvedPlacement> {
  const input = blankPlacement(setting, placedExperts(setting));
  const placed = await placeKept(input, kept, 0, (of) => contiguous.place(of));
  const value = atEveryVisit(placed, expertHomeNumbers(setting.model));
  return { value, name: "contiguous", ledger: [keptEntry(setting, kept)], proofs: [] };
}

/** What the ledger says of a map that somebody else made. */
const givenEntry = ({ input, format, notes }: GivenMap): LedgerEntry => ({
  topic: "placement",
  fidelity: "replayed",
  detail: [`the map of ${input.name}, as ${format} has it, from start to end`, ...notes].join("; "),
});

/** What the ledger says of the problem that a policy solved. */
function proofEntry({ problem, objective, bound, gap, proved, solver, cut }: PlacementProof): LedgerEntry {
  const found = `${problem}: ${formatNumber(objective, 4)}, no less than ${formatNumber(bound, 4)}`;
  const quality = proved ? "proved" : `gap ${Number.isFinite(gap) ? formatPercent(gap, 2) : "unknown"}`;
  const ended = cut ? "; ended by its limit of time, so that another machine may find another" : "";
  return { topic: "placement solver", fidelity: "fitted", detail: `${solver}: ${found} (${quality}${ended})` };
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
