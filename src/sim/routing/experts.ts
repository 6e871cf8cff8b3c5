import { InvariantError } from "../../core/errors.ts";
import { exchangeLibrary, lowLatency } from "../../engine/exchange/expert-exchange.ts";
import { expertHomes } from "../../models/visits.ts";
import type { DispatchTopology } from "../../policy/dispatch/dispatch.ts";
import { contiguousMap } from "../../policy/placement/contiguous.ts";
import type { Placement } from "../../policy/placement/placement.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import type { PoolConfig } from "../config.ts";
import { exchangesTokens, sharersOf, sourcesPerGroup } from "../mapping.ts";
import { nodesOfExperts, reachOf } from "../mapping-over-nodes.ts";
import type { MemoryPlan } from "../memory/memory-plan.ts";
import { buildOffloads, type Offloads } from "../offload/build-offloads.ts";
import { buildRebalances } from "../rebalance/build-rebalances.ts";
import type { ReplicaRebalance } from "../rebalance/replica-rebalance.ts";
import type { StepInFlight } from "../replica.ts";
import { moeLayers, moeStages } from "../step/stage-plan.ts";
import { CachedExperts } from "./cached-experts.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { countScales, plainScales } from "./exchange-scales.ts";
import { ExpectedExperts } from "./expected-experts.ts";
import { type DispatchSetting, ExpertRanks, type ExpertWork, roundRobin } from "./expert-ranks.ts";
import { GroupRows } from "./group-rows.ts";
import { GroupWork } from "./group-work.ts";
import type { ExpertSource } from "./layer-call.ts";
import { LoadStatistics } from "./load-statistics.ts";
import { PrefetchingExperts } from "./prefetching-experts.ts";
import { ReplayedExperts } from "./replayed-experts.ts";
import { RoutingReplay } from "./routing-replay.ts";
import { SourceCounts } from "./source-counts.ts";
import type { StepRows } from "./step-rows.ts";

/** Everything about the routed experts of a run: the sources of their work, its statistics, and the caches. */
export interface Experts {
  /** [replicas x steps in flight] */
  readonly sources: readonly ExpertSource[];
  readonly loads: LoadStatistics | null;
  /** What ranks sent one another; null where it is not counted. */
  readonly exchange: ExchangeRecord | null;
  readonly replay: RoutingReplay | null;
  readonly offloads: Offloads;
  /** [replicas] their experts placed anew; none where they stay. */
  readonly rebalances: readonly ReplicaRebalance[];
  /**
   * Looks up the experts of a step that a replica forms: work per layer and expert rank. `computed` holds the tokens of
   * every request that were computed before it. The step begins at `atNs`.
   */
  look(replica: number, step: StepInFlight, computed: Readonly<ArrayLike<number>>, atNs: number): void;
  check(): void;
  /** A replica has lost what lay in its devices. */
  forget(replica: number): void;
  /** The run ends: experts on their way to nobody are given up. */
  finish(atNs: number): void;
}

/** What a step in flight reads, what falls to each rank, and where its experts are. */
interface RoutedStep {
  /** [copies of the set of experts] */
  readonly rows: readonly StepRows[];
  /** Null where nobody asks where tokens come from. */
  readonly sources: SourceCounts | null;
  readonly work: ExpertWork;
  readonly source: ExpertSource;
}

/** Experts of a pool that serves `requests`. */
export function buildExperts(config: PoolConfig, memory: MemoryPlan, requests: RequestTable, seed: number): Experts {
  const moe = moeLayers(config.model);
  const { routing } = config;
  if (config.offload !== null && config.mapping.edp > 1)
    throw new InvariantError("offload-one-group", "an expert cache needs one copy of the set of experts");
  if (routing.kind === "uniform" || moe.length === 0) {
    if (config.offload !== null)
      throw new InvariantError("offload-needs-replay", "an expert cache needs replayed routing");
    const popularityCv = routing.kind === "uniform" ? (routing.popularityCv ?? 0) : 0;
    const nodes = nodesOfExperts(config.mapping, config.node);
    const expected = new ExpectedExperts(moe, config.mapping.ep, popularityCv, nodes);
    return {
      sources: Array.from({ length: config.replicas * config.mapping.pp }, () => expected),
      loads: null,
      exchange: null,
      replay: null,
      rebalances: [],
      offloads: { caches: [], logs: [], nodes: [], hosts: [], pages: [] },
      look: () => {},
      check: () => {},
      forget: () => {},
      finish: () => {},
    };
  }
  const experts = moe[0]!.experts;
  const placement = config.placement ?? contiguousMap(moe.length, experts, config.mapping.ep);
  const setting = dispatchSetting(config, seed);
  const expertRanks = new ExpertRanks(placement, routing.layerMap, setting);
  const bySource = config.dispatch?.policy.needs.includes("sources") === true;
  const domainIndex = requests.domains.map((name) => routing.table.domains.indexOf(name));
  const replay = new RoutingReplay(routing.table, requests.count, {
    start: routing.start,
    seed,
    domainOf: (request) => (requests.domainOf === null ? -1 : (domainIndex[requests.domainOf[request]!] ?? -1)),
    ordered: config.offload !== null,
    readers: ExchangeRecord.readers(config, routing.table.rows),
  });
  const exchange = ExchangeRecord.counts(config, routing.table.rows)
    ? new ExchangeRecord(config, replay, expertRanks, setting.topology, routing.layerMap)
    : null;
  const stageOf = moeStages(config.model, config.mapping.pp);
  const homes = expertHomes(config.model);
  const offloads = buildOffloads(config, memory, expertRanks, stageOf);
  const spreads = expertRanks.meanSpread(routing.table);
  const scaled = scalesExchange(config);
  const topology = groupTopology(config);
  const scales = plainScales(moe.length);
  if (scaled) countScales(scales, routing.table, routing.layerMap, expertRanks, topology);
  const { ep, pp, edp } = config.mapping;
  const remembers = setting.choice.policy.remembers === true;
  // Replicas whose experts are placed anew have maps of their own; those whose dispatch rule remembers, dispatchers.
  const placed = Array.from({ length: config.rebalance === undefined && !remembers ? 0 : config.replicas }, () => {
    const ranks = new ExpertRanks(placement, routing.layerMap, setting);
    const groups = Array.from({ length: edp }, (_, group) =>
      group === 0 || !remembers ? ranks : new ExpertRanks(placement, routing.layerMap, setting),
    );
    const ownSpreads = spreads.slice();
    const ownScales = { near: scales.near.slice(), far: scales.far.slice() };
    return {
      work: new GroupWork(groups),
      place: (map: Placement) => {
        for (const group of new Set(groups)) group.place(map);
      },
      spreads: ownSpreads,
      scales: ownScales,
      changed: (layers: readonly number[]) => {
        ranks.meanSpread(routing.table, ownSpreads, layers);
        if (scaled) countScales(ownScales, routing.table, routing.layerMap, ranks, topology, layers);
      },
    };
  });
  const rebalances = buildRebalances(
    config,
    { initial: placement, layerMap: routing.layerMap, homes, stageOf, sliceBytes: memory.expertBytes },
    placed,
  );
  const { caches } = offloads;
  const groupRows = new GroupRows(replay, config.mapping);
  const groupWork = new GroupWork(new Array<ExpertRanks>(edp).fill(expertRanks));
  const steps = Array.from({ length: config.replicas * pp }, (_, flight): RoutedStep => {
    const rows = Array.from({ length: edp }, () => replay.newStep());
    const sources = bySource ? new SourceCounts(config.mapping.dp, rows[0]!.counts.length) : null;
    const work = groupWork.newWork();
    const own = placed[Math.floor(flight / pp)] ?? { spreads, scales };
    const resident = new ReplayedExperts(work, own.spreads, routing.table.topK, own.scales);
    if (caches.length === 0) return { rows, sources, work, source: resident };
    const replica = Math.floor(flight / pp);
    const served = stageOf.map((stage) => caches.slice((replica * pp + stage) * ep, (replica * pp + stage + 1) * ep));
    const Source = config.offload?.prefetch === undefined ? CachedExperts : PrefetchingExperts;
    const weighs = config.offload?.policy.needs.includes("weights") ?? false;
    const source = new Source(resident, expertRanks, replay, rows[0]!, routing.layerMap, homes, served, weighs);
    return { rows, sources, work, source };
  });
  /** [requests] whether any of its tokens was computed; null where nobody asks. */
  const began = caches.some(({ heedsRequests }) => heedsRequests) ? new Uint8Array(requests.count) : null;
  const tellNew = (replica: number, parts: StepInFlight["parts"]) => {
    for (const { requests, count } of parts)
      for (let i = 0; i < count; i++) {
        if (began![requests[i]!] === 1) continue;
        began![requests[i]!] = 1;
        for (const cache of caches.slice(replica * pp * ep, (replica + 1) * pp * ep)) cache.requestStarts();
      }
  };
  const loads = new LoadStatistics(expertRanks.layers, expertRanks.ranks * edp);
  return {
    sources: steps.map(({ source }) => source),
    loads,
    exchange,
    replay,
    offloads,
    rebalances,
    look: (replica, { index, parts, batches }, computed, atNs) => {
      const { rows, sources, work } = steps[replica * pp + index]!;
      for (const own of rows) own.clear();
      sources?.clear();
      if (began !== null) tellNew(replica, parts);
      let prefills = false;
      for (const batch of batches) prefills ||= batch.prefillTokens > 0;
      groupRows.read(
        rows,
        parts,
        computed,
        exchange === null ? null : ExchangeRecord.firstReader(config, prefills),
        sources,
      );
      (placed[replica]?.work ?? groupWork).split(rows, work, sources?.counts);
      rebalances[replica]?.count(rows[0]!.counts, work.pairs);
      let tokens = 0;
      for (const batch of batches) tokens += batch.tokens;
      loads.addStep(work, tokens, routing.table.topK, atNs);
    },
    check: () => {
      for (const offload of offloads.caches) offload.check();
    },
    forget: (replica) => {
      if (rebalances.length > 0) rebalances[replica]!.forget();
      else placed[replica]?.place(placement);
      for (const cache of caches.slice(replica * pp * ep, (replica + 1) * pp * ep)) cache.forget();
    },
    finish: (atNs) => {
      for (const cache of caches) cache.finish(atNs);
    },
  };
}

/** Whether the time of exchanges follows where the experts of tokens lie: DeepEP in its normal mode. */
export function scalesExchange({ mapping, engine }: PoolConfig): boolean {
  const { expertExchange } = engine;
  return exchangesTokens(mapping) && exchangeLibrary(expertExchange) === "deepep" && !lowLatency(expertExchange, true);
}

/** Devices of one copy of the set of experts, and the tokens there. Every copy is taken to begin at a node. */
function groupTopology({ mapping, node }: PoolConfig): DispatchTopology {
  return {
    sources: sourcesPerGroup(mapping),
    devicesPerSource: mapping.tp,
    devicesPerRank: mapping.etp,
    devicesPerNode: reachOf(node),
  };
}

/** How a pool dispatches tokens among copies. */
function dispatchSetting({ dispatch, mapping, node }: PoolConfig, seed: number): DispatchSetting {
  return {
    choice: dispatch ?? roundRobin,
    topology: {
      sources: mapping.dp,
      devicesPerSource: sharersOf(mapping),
      devicesPerRank: mapping.etp,
      devicesPerNode: reachOf(node),
    },
    seed,
  };
}
