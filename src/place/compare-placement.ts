import { storageFormats } from "../core/dtype.ts";
import { refuse, SolverLimitError } from "../core/errors.ts";
import { formatCount, formatNumber } from "../core/units.ts";
import { version } from "../core/version.ts";
import { gathersTokens } from "../engine/exchange/expert-exchange.ts";
import { giveWay } from "../files/cooperative.ts";
import { activationBytes } from "../hardware/cost/context.ts";
import { activationsFor } from "../hardware/math-format.ts";
import { expertBytes } from "../models/bytes.ts";
import type { ModelSpec } from "../models/spec.ts";
import { chanceOfEqual } from "../policy/placement/chance-imbalance.ts";
import { mostHeld } from "../policy/placement/kept-experts.ts";
import type { Placement } from "../policy/placement/placement.ts";
import { type PolicyTables, placementNames } from "../policy/policy-tables.ts";
import type { Surroundings } from "../resolve/file-reader.ts";
import type { PolicySetting } from "../resolve/policy-setting.ts";
import { resolveDispatch } from "../resolve/resolve-dispatch.ts";
import type { ResolvedRouting } from "../resolve/resolve-routing.ts";
import { resolveScenario } from "../resolve/resolve-scenario.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { poolsOf } from "../sim/config.ts";
import { moeShape } from "../sim/mapping.ts";
import { holdingLayers, stagePlans } from "../sim/step/stage-plan.ts";
import { solveHere } from "../solver/solver.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { balanceBound } from "./balance-bound.ts";
import type { JudgedMap, LeftOutMap, PlacementComparison, SimulatedMap, TopicMatrix } from "./comparison.ts";
import { computeBoundBatch } from "./compute-bound-batch.ts";
import { type FittedMap, fitMap, redundantOf } from "./fit-maps.ts";
import { judgedTraffic, judgeMap } from "./judge-map.ts";
import { isExpected, reasonOf } from "./left-out.ts";
import { limitedSolve, refuseUntaken, type SolveWishes } from "./limited-solve.ts";
import { currentCandidate, type MapCandidate, mapCandidates, redundantChoices } from "./map-candidates.ts";
import { migrationCost } from "./migration-cost.ts";
import { type PlacedRun, tokensPerStep } from "./placed-runs.ts";
import { rankTopology } from "./rank-topology.ts";
import { rankTraffic } from "./rank-traffic.ts";
import { shortlist } from "./shortlist.ts";
import { simulatePlacement } from "./simulate-placement.ts";
import { simulatedMap } from "./simulated-map.ts";
import { refuseOption, refuseWithoutMaps, splitTraffic } from "./split-traffic.ts";
import { type Topic, topicMatrix } from "./topic-matrix.ts";
import { placementVerdict } from "./verdict.ts";

export interface PlaceOptions extends SolveWishes {
  readonly requests: number;
  /** Runs of each map, each with other random draws. */
  readonly repeats: number;
  /** Absent: all of the table. */
  readonly policies?: readonly string[];
  /** Absent: none, one and four copies a rank. */
  readonly redundant?: readonly number[];
  /** Tokens of a step that balance is judged on; absent: as many as the simulated steps have. */
  readonly batch?: number;
  /** Domains to fit maps on, and to judge them on. */
  readonly fit?: string;
  readonly test?: string;
  /** Whether every map is simulated, not only the best by analysis. */
  readonly all?: boolean;
}

export interface PlaceDeps extends Surroundings {
  readonly signal?: AbortSignal;
  /** Maps and runs done, of about so many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A comparison, and the maps themselves. */
export interface ComparedPlacements {
  readonly comparison: PlacementComparison;
  /** As `maps` of the comparison. */
  readonly placements: readonly Placement[];
  /** Whose experts they place. */
  readonly model: ModelSpec;
  /** Whether a policy that was asked for ended at its solver's limit without a map. */
  readonly limited: boolean;
}

/**
 * Compares placement policies on the routing of a scenario. Maps are fitted on one part of the traffic; another part judges them
 * and is replayed by the simulated runs, which all see the same requests and random draws.
 * @throws InvalidInputError where the scenario has nothing to place
 */
export async function comparePlacement(
  scenario: Scenario,
  options: PlaceOptions,
  deps: PlaceDeps,
): Promise<ComparedPlacements> {
  const { requests, repeats } = options;
  const bare = scenario.vary([
    // Groups that share a prefix say themselves how many requests there are.
    ...(scenario.traffic.kind === "sharedPrefix" ? [] : [`traffic.requests=${requests}`]),
    ...quickPlacement(scenario),
  ]);
  const { config, routed } = await resolveScenario(bare, deps, null, deps.signal);
  const { model, mapping, node, engine, formats, routing } = config;
  refuseWithoutMaps(scenario, mapping.ep, poolsOf(config).length, routing.kind === "replay");
  const moe = moeShape(model)!;
  if (routing.kind !== "replay" || routed?.source == null) return refuse({ expected: "routing that is replayed" });
  const { fit, test, split } = splitTraffic(scenario, routed.source.whole, routing.table, options);
  const { layerMap } = routing;
  const topology = rankTopology(mapping, node);
  const { solve, asked } = limitedSolve(deps.solve ?? solveHere, options);

  const settingOn = (table: RoutingTable): PolicySetting => ({
    scenario,
    model,
    moe,
    mapping,
    node,
    formats,
    ...(config.weightBits === undefined ? {} : { weightBits: config.weightBits }),
    source: { whole: routed.source!.whole, replayed: table },
    layerMap: routed.layerMap,
    reader: deps,
  });
  const fitted = (candidate: MapCandidate, table: RoutingTable, inUse: Placement | null): Promise<FittedMap> =>
    fitMap(candidate, settingOn(table), config, solve, inUse);

  const chosen = options.policies ?? placementNames(scenario.policies);
  const { value: rule } = await resolveDispatch(settingOn(fit));
  const dispatch = rule === undefined ? {} : { dispatch: rule };
  const divides = (number: number) => number === 0 || (moe.experts + number) % mapping.ep === 0;
  for (const number of options.redundant ?? [])
    if (!divides(number))
      refuseOption("--redundant", `${moe.experts} experts + redundant to be a multiple of ep ${mapping.ep}`, number);
  const stated = await fitted(currentCandidate(scenario), fit, null);
  // A map from a file has the copies that it has, whatever the scenario says of them.
  const redundant = stated.candidate.policy === "file" ? redundantOf(stated.placement) : stated.candidate.redundant;
  const current = { ...stated.candidate, redundant };
  const inUse: FittedMap = { ...stated, candidate: current };
  const usual = redundantChoices(moe.experts, mapping.ep);
  const numbers = options.redundant ?? [...new Set([...usual, ...(divides(redundant) ? [redundant] : [])])];
  const policies = chosen.includes(current.policy) ? chosen : [current.policy, ...chosen];
  const candidates = mapCandidates(scenario, policies, numbers, current);
  const shortlistMax = options.all === true ? candidates.length : 4;
  const total = candidates.length + (shortlistMax + 1) * repeats;
  let done = 0;
  const advance = () => deps.onProgress?.(Math.min(++done, total), total);

  const leftOut: LeftOutMap[] = [];
  let limited = false;
  const leaveOut = ({ policy, redundant }: Pick<MapCandidate, "policy" | "redundant">, error: unknown): void => {
    if (!isExpected(error)) throw error;
    if (error instanceof SolverLimitError) limited ||= options.policies?.includes(policy) === true;
    leftOut.push({ policy, redundant, reason: reasonOf(error) });
  };
  const maps: FittedMap[] = [];
  for (const candidate of candidates) {
    deps.signal?.throwIfAborted();
    try {
      maps.push(candidate.isCurrent ? inUse : await fitted(candidate, fit, inUse.placement));
    } catch (error) {
      leaveOut(candidate, error);
    }
    advance();
    await giveWay();
  }
  refuseUntaken(options, asked);

  const replayed: ResolvedRouting = {
    ...routed,
    routing: { ...routing, table: test },
    source: { whole: routed.source.whole, replayed: test },
  };
  const run = (placement: Placement): Promise<PlacedRun[]> =>
    simulatePlacement(bare, { placement, ...dispatch }, replayed, repeats, deps, advance);
  const currentRuns = await run(inUse.placement);
  const interrupted = () => deps.signal?.aborted === true;
  const batch = options.batch ?? tokensPerStep(currentRuns);

  const stages = stagePlans(model, mapping.pp).map((plan) => holdingLayers(plan, model));
  const bytesOfExpert = expertBytes(moe, config) / mapping.etp;
  const { kvBytesPerToken } = currentRuns[0]!.run.memory;
  const onFit = judgedTraffic(fit, layerMap, batch);
  const onTest = split.by === "none" ? null : judgedTraffic(test, layerMap, batch);
  const judged = ({ candidate, placement, proofs }: FittedMap): JudgedMap => {
    const copyBytes = mostCopies(placement, stages) * bytesOfExpert;
    return {
      policy: candidate.policy,
      redundant: candidate.redundant,
      isCurrent: candidate.isCurrent,
      fitted: judgeMap(placement, onFit),
      heldOut: onTest === null ? null : judgeMap(placement, onTest),
      traffic: rankTraffic(placement, test, layerMap, topology),
      copyBytes,
      kvTokens: kvBytesPerToken > 0 ? Math.ceil(copyBytes / kvBytesPerToken) : 0,
      migration: migrationCost(inUse.placement, placement, config, bytesOfExpert),
      proofs,
    };
  };
  const judgedMaps: JudgedMap[] = [];
  for (const map of maps) {
    judgedMaps.push(judged(map));
    await giveWay();
  }

  const listed = options.all === true ? judgedMaps : shortlist(judgedMaps, shortlistMax);
  const simulated: SimulatedMap[] = [];
  for (const map of listed) {
    if (map.isCurrent) {
      simulated.push(simulatedMap(map, currentRuns, currentRuns, config));
      continue;
    }
    if (interrupted()) break;
    try {
      const runs = await run(maps[judgedMaps.indexOf(map)]!.placement);
      if (runs.length === currentRuns.length) simulated.push(simulatedMap(map, runs, currentRuns, config));
    } catch (error) {
      leaveOut({ policy: map.policy, redundant: map.redundant }, error);
    }
  }

  const topics: TopicMatrix[] = [];
  const tables = topicsOf(routed.source.whole);
  if (tables.length > 1 && !interrupted())
    for (const map of matrixMaps(judgedMaps, scenario.policies)) {
      const { candidate } = maps[judgedMaps.indexOf(map)]!;
      topics.push(
        await topicMatrix(
          candidate,
          tables,
          layerMap,
          inUse.placement,
          async (table) => (await fitted(candidate, table, inUse.placement)).placement,
        ),
      );
      await giveWay();
    }

  const tokenBytes =
    moe.expertHidden *
    (activationBytes + storageFormats[activationsFor(formats.experts, node.device)].bitsPerValue / 8);
  const bound = balanceBound(
    judgedMaps.find(({ isCurrent }) => isCurrent)!,
    currentRuns,
    { ranks: mapping.ep, topK: moe.topK },
    {
      batch,
      judgedTokens: (onTest ?? onFit).steps.tokens,
      exchangeFollowsMap: mapping.dp > 1 && !gathersTokens(engine.expertExchange),
      computeBoundBatch: computeBoundBatch(config, moe),
    },
  );
  const comparison: PlacementComparison = {
    kind: "placement-comparison",
    schemaVersion: 1,
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    model: model.name,
    ranks: mapping.ep,
    nodes: topology.nodes,
    layers: layerMap.length,
    experts: moe.experts,
    expertBytes: expertBytes(moe, config),
    requests: config.workload.requests.count,
    repeats,
    seed: scenario.seed,
    tokenBytes,
    split: {
      ...split,
      notes: [
        ...split.notes,
        ...stepNotes(batch, (onTest ?? onFit).steps.tokens),
        ...chanceNotes(mapping.ep, split.testRows, moe.topK),
        ...ruleNotes(scenario),
      ],
    },
    current: { policy: current.policy, redundant },
    maps: judgedMaps,
    leftOut,
    topics,
    simulated,
    bound,
    verdict: placementVerdict({ maps: judgedMaps, simulated, bound, split, repeats }),
    interrupted: interrupted(),
  };
  return { comparison, placements: maps.map(({ placement }) => placement), model, limited };
}

/**
 * Settings that exchange the placement for one that is quick to make and has as many copies, so that the engine starts as it does
 * with the scenario's own. It is only simulated where it is one of the maps. A map from a file is as quick.
 */
export function quickPlacement({ policy: { placement } }: Scenario): string[] {
  if (placement === undefined) return [];
  const { kind, redundant, rebalance } = placement;
  if (kind === "file") return rebalance === undefined ? [] : ["policy.placement.rebalance=null"];
  if (redundant === 0) return ['policy.placement={"kind":"contiguous"}'];
  return [`policy.placement={"kind":"eplb","redundant":${redundant},"groups":1,"nodes":1}`];
}

/** Above this, what a recording has by chance is taken for what lasts. */
const chanceMost = 1.1;
/** Choices of a layer from which chance is small. */
const choicesMany = 1e6;

/** Whether there are too few recorded tokens to tell which experts are hot. */
function chanceNotes(ranks: number, tokens: number, topK: number): string[] {
  if (tokens * topK > choicesMany) return [];
  const chance = chanceOfEqual(ranks, tokens * topK);
  if (chance < chanceMost) return [];
  return [
    `maps are judged on ${formatCount(tokens)} ${tokens === 1 ? "token" : "tokens"}, where ranks of a perfect map have ${formatNumber(chance, 3)} times the mean by chance: differences below that mean little`,
  ];
}

const stepNotes = (batch: number, judgedTokens: number): string[] =>
  batch <= judgedTokens
    ? []
    : [
        `steps have ${formatCount(batch)} tokens, the recording ${formatCount(judgedTokens)}: their balance is that of all of it`,
      ];

/** What the scenario says of a map's use that analysis or runs leave out. */
function ruleNotes({ policy: { placement } }: Scenario): string[] {
  const { rebalance, dispatch } = placement ?? {};
  return [
    ...(rebalance === undefined
      ? []
      : [`maps stay from start to end: policy.placement.rebalance (${rebalance.kind}) is left out of the runs`]),
    ...(dispatch === undefined || dispatch.kind === "round-robin"
      ? []
      : [`runs dispatch by ${dispatch.kind}; balance by analysis is that of tokens dealt to copies in turn`]),
  ];
}

/** Copies beyond an even share of one of each expert, of the rank with most of them. `stages`: layers of each that hold experts. */
const mostCopies = (placement: Placement, stages: readonly (readonly number[])[]): number =>
  Math.max(
    0,
    ...stages.map(
      (layers) => mostHeld(placement, layers) - layers.length * Math.ceil(placement.experts / placement.ranks),
    ),
  );

/** Domains with rows. */
function topicsOf(table: RoutingTable): Topic[] {
  const { domains, domainStarts } = table;
  return domains
    .filter((_name, domain) => domainStarts[domain + 1]! > domainStarts[domain]!)
    .map((name) => ({ name, table: rowsOfDomain(table, name) }));
}

const matrixMax = 2;

/** The best maps by held-out balance that follow the traffic at all. */
function matrixMaps(maps: readonly JudgedMap[], { placements }: PolicyTables): readonly JudgedMap[] {
  const follows = maps.filter(({ policy }) => placements[policy]!.needs.length > 0);
  return [...follows]
    .sort((a, b) => balanceOf(a) - balanceOf(b))
    .filter(({ policy }, i, all) => all.findIndex((other) => other.policy === policy) === i)
    .slice(0, matrixMax);
}

const balanceOf = ({ heldOut, fitted }: JudgedMap): number => (heldOut ?? fitted).whole.maxOverMean;
