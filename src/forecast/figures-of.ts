import type { Figures } from "../metrics/figures.ts";
import { goodputOf, type RequestLimits } from "../metrics/goodput.ts";
import type { Price } from "../resolve/price.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import { devicesByPool, poolsOf } from "../sim/config.ts";
import { devicesOf } from "../sim/mapping.ts";
import { judgeLoad } from "../sim/outcome/load/judge-load.ts";
import { type LedgerEntry, type RunResult, requestStatus } from "../sim/result.ts";
import { costOf, energyOf } from "./cost-energy.ts";
import { expertBalance } from "./expert-balance.ts";
import { handoverFigures } from "./handover-figures.ts";
import { latencyStats } from "./latency-stats.ts";
import { poolFigures } from "./pool-figures.ts";
import { rebalanceFigures } from "./rebalance-figures.ts";
import { meanDevicesOn, scalingFigures } from "./scaling-figures.ts";
import { sectionsOf } from "./sections.ts";
import { throughputOf } from "./throughput.ts";

/** The figures of a run, and what the ledger says of them. */
export function figuresOf(
  resolved: ResolvedScenario,
  run: RunResult,
  limits: RequestLimits | null,
): { readonly figures: Figures; readonly ledger: readonly LedgerEntry[] } {
  const pools = poolsOf(resolved.config);
  const devices = devicesByPool(resolved.config).reduce((sum, count) => sum + count, 0);
  const scaled = pools.some(({ scaling }) => scaling !== undefined);
  const on = meanDevicesOn(resolved.config, run);
  const devicesOn = on.reduce((sum, count) => sum + count, 0);
  const load = judgeLoad(run);
  const goodput = load.verdict === "overloaded" ? null : goodputOf(run, limits, null);
  const throughput = {
    ...throughputOf(run, devicesOn),
    goodput: goodput === null || goodput.samples === 0 ? null : goodput.good / goodput.samples,
  };
  const busyNs = run.replicaBusyNs.reduce((sum, ns) => sum + ns, 0);
  const cost = costOf(meanPrice(resolved, on), {
    devices: devicesOn,
    inputTokensPerSecond: throughput.totalTokensPerSecond - throughput.outputTokensPerSecond,
    outputTokensPerSecond: throughput.outputTokensPerSecond,
    promptTimeShare: busyNs > 0 ? run.promptBusyNs / busyNs : 0,
  });
  const { energy, ledger } = energyOf(
    resolved.config.modelCache !== undefined
      ? [{ device: resolved.config.node.device, devicesPerReplica: devices, replicaBusyNs: [busyNs] }]
      : pools.map(({ node, mapping }, pool) => ({
          device: node.device,
          devicesPerReplica: devicesOf(mapping),
          replicaBusyNs: pools.length === 1 ? run.replicaBusyNs : run.pools[pool]!.replicaBusyNs,
          ...(scaled ? { replicaOnNs: run.pools[pool]!.replicaOnNs } : {}),
        })),
    run,
  );
  const figures: Figures = {
    deployment: { devices, ...(scaled ? { meanDevicesOn: devicesOn } : {}) },
    interrupted: run.interrupted,
    requests: requestFates(run),
    load,
    latency: latencyStats(run, load, null),
    latencyByClass: Object.fromEntries(run.requests.classes.map((name) => [name, latencyStats(run, load, name)])),
    throughput,
    cost,
    energy,
    experts: expertBalance(run),
    cache: run.cache,
    speculation: speculationOf(run),
    kv: {
      blocks: run.kv.blocks,
      peakShare: run.kv.blocks > 0 ? run.kv.peakBlocks / run.kv.blocks : 0,
      preemptions: run.kv.preemptions,
      prefixHitRate: run.kv.prefixLookupTokens > 0 ? run.kv.prefixHitTokens / run.kv.prefixLookupTokens : null,
    },
    sections: sectionsOf(run, load, limits),
    ...(pools.length === 1 ? {} : { pools: poolFigures(resolved, run) }),
    ...(scaled ? { scaling: scalingFigures(resolved.config, run) } : {}),
    ...(pools.some(({ rebalance }) => rebalance !== undefined) ? { rebalancing: rebalanceFigures(run) } : {}),
    ...(run.modelCache === null ? {} : { modelCache: run.modelCache }),
    ...(run.handover === null ? {} : { handover: handoverFigures(run, run.handover) }),
  };
  return { figures, ledger };
}

/** The price of a device, the mean over the devices of all pools that are on; null where a pool has none. */
function meanPrice({ price, otherPools = [] }: ResolvedScenario, devicesOn: readonly number[]): Price | null {
  const prices = [price, ...otherPools.map((pool) => pool.price)];
  if (prices.length === 1) return price;
  let usdPerHour = 0;
  for (const [pool, each] of prices.entries()) {
    if (each === null) return null;
    usdPerHour += each.usdPerDeviceHour * devicesOn[pool]!;
  }
  return {
    usdPerDeviceHour: usdPerHour / devicesOn.reduce((sum, devices) => sum + devices, 0),
    source: [...new Set(prices.map((each) => each!.source))].join("; "),
    fidelity: price!.fidelity,
  };
}

function requestFates(run: RunResult): Figures["requests"] {
  const fates = { completed: 0, rejected: 0, unfinished: 0, preemptions: 0 };
  const { count, status, preemptions, warmup } = run.requests;
  for (let request = 0; request < count; request += 1) {
    if (status[request] === requestStatus.completed) fates.completed += 1;
    else if (status[request] === requestStatus.rejected) fates.rejected += 1;
    else fates.unfinished += 1;
    fates.preemptions += preemptions[request]!;
  }
  return { total: count, warmup, ...fates };
}

/** Verifications of the run, and the mean tokens of one; null where there was none. */
function speculationOf({ speculation }: RunResult): Figures["speculation"] {
  if (speculation === null) return null;
  const { verifications, accepted } = speculation;
  return { ...speculation, acceptanceLength: verifications > 0 ? 1 + accepted / verifications : null };
}
