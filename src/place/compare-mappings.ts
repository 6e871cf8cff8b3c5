import { InvalidInputError, refuse } from "../core/errors.ts";
import { version } from "../core/version.ts";
import { giveWay } from "../files/cooperative.ts";
import { resolveDispatch } from "../resolve/resolve-dispatch.ts";
import type { ResolvedRouting } from "../resolve/resolve-routing.ts";
import { resolveScenario } from "../resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { poolsOf, type SimConfig } from "../sim/config.ts";
import { type Mapping, moeShape, stageRanks } from "../sim/mapping.ts";
import { reachOf } from "../sim/mapping-over-nodes.ts";
import { solveHere } from "../solver/solver.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { type PlaceDeps, type PlaceOptions, quickPlacement } from "./compare-placement.ts";
import type { TrafficSplit } from "./comparison.ts";
import { fitMap } from "./fit-maps.ts";
import { isExpected, reasonOf } from "./left-out.ts";
import { limitedSolve, refuseUntaken } from "./limited-solve.ts";
import { currentCandidate } from "./map-candidates.ts";
import { expertMappingCandidates, type MappingCandidate } from "./mapping-candidates.ts";
import type { LeftOutMapping, MappingComparison, SimulatedMapping } from "./mapping-comparison.ts";
import { mappingVerdict } from "./mapping-verdict.ts";
import type { PlacedRun } from "./placed-runs.ts";
import { simulatePlacement } from "./simulate-placement.ts";
import { simulatedMapping } from "./simulated-mapping.ts";
import { splitTraffic } from "./split-traffic.ts";

export type MappingOptions = Pick<
  PlaceOptions,
  "requests" | "repeats" | "fit" | "test" | "solver" | "gap" | "timeLimitS"
>;

/** What all mappings have in common. */
interface Setting {
  readonly scenario: Scenario;
  /** Quick to resolve; its placement is exchanged before it runs. */
  readonly bare: Scenario;
  /** Rows that maps are fitted to, and routing that runs replay; undefined where it is not replayed. */
  readonly fit: RoutingTable | undefined;
  readonly replayed: ResolvedRouting | undefined;
}

/**
 * Simulates every division of the experts of a scenario between expert and tensor parallelism, and copies of all of them, on the same
 * devices and with its attention as it is. All see the same requests and random draws; where routing is recorded, the placement of each
 * is fitted to one part of it and runs replay the other.
 * @throws InvalidInputError where the scenario has nothing to divide
 */
export async function compareMappings(
  scenario: Scenario,
  options: MappingOptions,
  deps: PlaceDeps,
): Promise<MappingComparison> {
  const bare = scenario.vary([
    // Groups that share a prefix say themselves how many requests there are.
    ...(scenario.traffic.kind === "sharedPrefix" ? [] : [`traffic.requests=${options.requests}`]),
    ...quickPlacement(scenario),
  ]);
  const { config, routed } = await resolveScenario(bare, deps, null, deps.signal);
  const { model, mapping, node } = config;
  const place = (at: string) => ({ ...scenario.place(at.split(".")), file: scenario.file, at });
  if (poolsOf(config).length > 1)
    refuse({ ...place("pools"), expected: "a deployment of one pool", found: `${poolsOf(config).length} pools` });
  if (moeShape(model) === null || stageRanks(mapping) === 1)
    refuse({
      ...place("parallel"),
      expected: "routed experts and at least 2 devices that share a layer, to divide the experts over",
      found: moeShape(model) === null ? model.name : "1 device",
    });
  const placed = scenario.policy.placement !== undefined;
  const candidates = expertMappingCandidates(model, node, mapping, { placed, copies: true });
  const isCurrent = (other: Mapping) => Object.entries(mapping).every(([key, value]) => other[key as never] === value);
  const current = candidates.find((one) => isCurrent(one.mapping));
  if (current === undefined)
    return refuse({ ...place("parallel"), expected: "a mapping that is enumerated", found: mapping });

  const { fit, replayed, split } = divided(scenario, routed, options);
  const setting = { scenario, bare, fit, replayed };
  const order = [current, ...candidates.filter((one) => one !== current)];
  const { solve, asked } = limitedSolve(deps.solve ?? solveHere, options);
  let done = 0;
  const total = order.length * options.repeats;
  const advance = () => deps.onProgress?.(Math.min(++done, total), total);

  const mappings: SimulatedMapping[] = [];
  const leftOut: LeftOutMapping[] = [];
  let currentRuns: PlacedRun[] = [];
  let currentNotes: readonly string[] = [];
  for (const candidate of order) {
    const isFirst = candidate === current;
    if (!isFirst && deps.signal?.aborted === true) break;
    try {
      const { varied, placements, config: own, startNotes } = await placedUnder(candidate, setting, { ...deps, solve });
      const runs = await simulatePlacement(varied, placements, replayed, options.repeats, deps, advance);
      if (isFirst) [currentRuns, currentNotes] = [runs, startNotes];
      if (runs.length === currentRuns.length)
        mappings.push(
          simulatedMapping(
            candidate,
            runs,
            currentRuns,
            own,
            startNotes.filter((note) => !currentNotes.includes(note)),
          ),
        );
    } catch (error) {
      // Without the mapping in use there is nothing to compare with.
      if (isFirst || !isExpected(error)) throw error;
      leftOut.push({ name: candidate.name, mapping: candidate.mapping, reason: reasonOf(error) });
      done += options.repeats;
    }
    await giveWay();
  }
  refuseUntaken(options, asked);
  return {
    kind: "mapping-comparison",
    schemaVersion: 1,
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    model: model.name,
    devices: stageRanks(mapping),
    nodes: Math.ceil(stageRanks(mapping) / reachOf(node)),
    requests: config.workload.requests.count,
    repeats: currentRuns.length,
    seed: scenario.seed,
    split,
    mappings,
    leftOut,
    verdict: mappingVerdict(mappings, leftOut),
    interrupted: deps.signal?.aborted === true,
  };
}

/** The scenario with a mapping, its placement fitted for it, and its dispatch among copies. */
async function placedUnder(
  { set }: MappingCandidate,
  { scenario, bare, fit, replayed }: Setting,
  deps: PlaceDeps & { readonly solve: NonNullable<PlaceDeps["solve"]> },
): Promise<{
  readonly varied: Scenario;
  readonly placements: Pick<SimConfig, "placement" | "dispatch">;
  readonly config: SimConfig;
  readonly startNotes: readonly string[];
}> {
  const [own, varied] = [scenario.vary([...set]), bare.vary([...set])];
  const resolved: ResolvedScenario = await resolveScenario(varied, deps, null, deps.signal, replayed);
  const { config, routed, ledger } = resolved;
  const startNotes = ledger.filter(({ topic }) => topic === "engine start").map(({ detail }) => detail);
  if (own.policy.placement === undefined)
    return { varied, placements: { placement: config.placement }, config, startNotes };
  const { model, mapping, node, formats, weightBits } = config;
  const source = routed?.source ?? null;
  const moe = moeShape(model)!;
  const at = {
    ...{ scenario: own, model, moe, mapping, node, formats },
    ...(weightBits === undefined ? {} : { weightBits }),
    source: source === null || fit === undefined ? source : { whole: source.whole, replayed: fit },
    layerMap: routed?.layerMap ?? ("identity" as const),
    reader: deps,
  };
  const { placement } = await fitMap(currentCandidate(own), at, config, deps.solve, null);
  const { value: dispatch } = await resolveDispatch(at);
  return { varied, placements: { placement, ...(dispatch === undefined ? {} : { dispatch }) }, config, startNotes };
}

/** Rows to fit on and to replay. Routing that is not recorded has none. */
function divided(
  scenario: Scenario,
  routed: ResolvedRouting | undefined,
  options: MappingOptions,
): Pick<Setting, "fit" | "replayed"> & { readonly split: TrafficSplit } {
  if (routed?.source == null || routed.routing.kind !== "replay") {
    for (const key of ["fit", "test"] as const)
      if (options[key] !== undefined)
        throw new InvalidInputError([
          { at: `--${key}`, expected: "routing that is replayed, which has domains", found: scenario.routing.kind },
        ]);
    const note = "routing is uniform: no expert is hotter than another, which favours whole experts on each rank";
    const split = { by: "none", fit: "", test: "uniform routing", fitRows: 0, testRows: 0, notes: [note] } as const;
    return { fit: undefined, replayed: undefined, split };
  }
  const { whole } = routed.source;
  const { fit, test, split } = splitTraffic(scenario, whole, routed.routing.table, options);
  const replayed = { ...routed, routing: { ...routed.routing, table: test }, source: { whole, replayed: test } };
  return { fit, replayed, split };
}
