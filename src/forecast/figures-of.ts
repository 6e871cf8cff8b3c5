import type { Figures } from "../metrics/figures.ts";
import { goodputOf, type RequestLimits } from "../metrics/goodput.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import { devicesOf } from "../sim/mapping.ts";
import { judgeLoad } from "../sim/outcome/load/judge-load.ts";
import { type LedgerEntry, type RunResult, requestStatus } from "../sim/result.ts";
import { costOf, energyOf } from "./cost-energy.ts";
import { latencyStats } from "./latency-stats.ts";
import { sectionsOf } from "./sections.ts";
import { throughputOf } from "./throughput.ts";

/** The figures of a run, and what the ledger says of them. */
export function figuresOf(
  { config, price }: ResolvedScenario,
  run: RunResult,
  limits: RequestLimits | null,
): { readonly figures: Figures; readonly ledger: readonly LedgerEntry[] } {
  const devices = devicesOf(config.mapping) * config.replicas;
  const load = judgeLoad(run);
  const goodput = load.verdict === "overloaded" ? null : goodputOf(run, limits, null);
  const throughput = {
    ...throughputOf(run, devices),
    goodput: goodput === null || goodput.samples === 0 ? null : goodput.good / goodput.samples,
  };
  const busyNs = run.replicaBusyNs.reduce((sum, ns) => sum + ns, 0);
  const cost = costOf(price, {
    devices,
    inputTokensPerSecond: throughput.totalTokensPerSecond - throughput.outputTokensPerSecond,
    outputTokensPerSecond: throughput.outputTokensPerSecond,
    promptTimeShare: busyNs > 0 ? run.promptBusyNs / busyNs : 0,
  });
  const { energy, ledger } = energyOf({
    device: config.node.device,
    devicesPerReplica: devicesOf(config.mapping),
    replicaBusyNs: run.replicaBusyNs,
    endNs: run.endNs,
    outputTokens: run.outputTokens,
  });
  const figures: Figures = {
    deployment: { devices },
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
  };
  return { figures, ledger };
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

/** Balance over MoE layers that routed anything; null without MoE layers. */
function expertBalance(run: RunResult): Figures["experts"] {
  const layers = run.layers.filter((layer) => layer.pairs > 0);
  if (layers.length === 0) return null;
  const meanOf = (of: (layer: (typeof layers)[number]) => number) =>
    layers.reduce((sum, layer) => sum + of(layer), 0) / layers.length;
  return {
    imbalance: meanOf((layer) => layer.imbalance),
    imbalanceMax: layers.reduce((high, layer) => Math.max(high, layer.imbalanceMax), 0),
    expertSkew: meanOf((layer) => layer.expertSkew),
    distinctExpertsPerStep: meanOf((layer) => layer.distinctExperts),
    layers: run.layers,
    rankLoad: run.rankLoad,
  };
}
