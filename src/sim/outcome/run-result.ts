import { type PoolResult, type RunResult, type TimeComponent, timeComponents } from "../result.ts";
import { handoverRows } from "./handover-rows.ts";
import { checkResources } from "./laws.ts";
import { simulationLedger } from "./ledger.ts";
import { modelCacheResult } from "./model-cache-result.ts";
import { poolResult } from "./pool-result.ts";
import { requestRows } from "./request-rows.ts";
import { resourceUse } from "./resource-use.ts";
import type { RunView } from "./run-view.ts";

/** Gathers the result of a run from the state of its parts. */
export function buildResult(run: RunView): RunResult {
  const { config, replicas, handover } = run;
  const resources = resourceUse(run);
  checkResources(run, resources);
  const pools = run.pools.map((pool) => poolResult(pool, run.nowNs));
  const [first] = run.pools;
  const { replay } = first!.experts;
  return {
    requests: requestRows(run),
    itl: run.itl,
    endNs: run.nowNs,
    steps: run.steps,
    promptTokensComputed: run.promptTokensComputed,
    outputTokens: run.outputTokens,
    replicaBusyNs: pools.flatMap(({ replicaBusyNs }) => replicaBusyNs),
    promptBusyNs: pools.reduce((sum, { promptBusyNs }) => sum + promptBusyNs, 0),
    frontEnds: {
      busyNs: replicas.flatMap(({ frontEnds }) => [...frontEnds.busyNs]),
      waitNs: replicas.reduce((sum, { frontEnds }) => sum + frontEnds.waitNs, 0),
    },
    ...together(pools),
    resources,
    pools,
    handover: handover === null ? null : handoverRows(handover),
    modelCache: run.models === null ? null : modelCacheResult(config.modelCache!, run.models, run),
    series: run.series.result(),
    load:
      config.workload.kind === "open" ? { kind: "open" } : { kind: "closed", concurrency: config.workload.concurrency },
    routing: replay === null ? null : { rows: replay.table.rows, reuse: replay.rowReads / replay.table.rows },
    ledger: simulationLedger(run),
    interrupted: run.interrupted,
    laws: run.laws.counts,
  };
}

/** The figures of all pools: sums; of what has no sum, those of a single pool, else nothing. */
function together(
  pools: readonly PoolResult[],
): Pick<
  RunResult,
  "speculation" | "time" | "layers" | "rankLoad" | "rankBalance" | "exchange" | "cache" | "memory" | "kv"
> {
  const [only] = pools;
  if (pools.length === 1) return only!;
  const sum = (of: (pool: PoolResult) => number) => pools.reduce((total, pool) => total + of(pool), 0);
  const time = timeComponents.map((name) => [name, sum((pool) => pool.time[name])]);
  const fullest = pools.reduce((most, pool) => (peakShare(pool) > peakShare(most) ? pool : most));
  const drafting = pools.flatMap(({ speculation }) => (speculation === null ? [] : [speculation]));
  return {
    speculation: drafting.length === 1 ? drafting[0]! : null,
    time: Object.fromEntries(time) as Record<TimeComponent, number>,
    layers: [],
    rankLoad: [],
    rankBalance: null,
    exchange: null,
    cache: null,
    memory: {
      ...fullest.memory,
      tiers: pools.flatMap(({ name, memory }) =>
        memory.tiers.map((tier) => ({ ...tier, tier: `${name}: ${tier.tier}` })),
      ),
    },
    kv: {
      blocks: fullest.kv.blocks,
      peakBlocks: fullest.kv.peakBlocks,
      preemptions: sum(({ kv }) => kv.preemptions),
      prefixHitTokens: sum(({ kv }) => kv.prefixHitTokens),
      prefixLookupTokens: sum(({ kv }) => kv.prefixLookupTokens),
    },
  };
}

const peakShare = ({ kv }: PoolResult): number => (kv.blocks > 0 ? kv.peakBlocks / kv.blocks : 0);
