import { version } from "../core/version.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { devicesOf } from "../sim/mapping.ts";
import { judgeLoad } from "../sim/outcome/load/judge-load.ts";
import { type RunResult, requestStatus } from "../sim/result.ts";
import { accuracyOf } from "./bands/accuracy.ts";
import { bottleneckOf, frontEndBottleneck, timeShares } from "./bottleneck.ts";
import { costOf, energyOf } from "./cost-energy.ts";
import { type Forecast, forecastSchemaVersion } from "./forecast.ts";
import { goodputOf } from "./goodput.ts";
import { judge } from "./judge.ts";
import { latencyStats } from "./latency-stats.ts";
import { judgeContext } from "./run-metrics.ts";
import { sectionsOf } from "./sections.ts";
import { throughputOf } from "./throughput.ts";

/** Joins a run with its scenario: statistics, verdicts, cost, energy, bottleneck and the fidelity ledger. */
export function buildForecast(scenario: Scenario, resolved: ResolvedScenario, run: RunResult): Forecast {
  const { config } = resolved;
  const devices = devicesOf(config.mapping) * config.replicas;
  const limits = scenario.slo?.perRequest ?? null;
  const load = judgeLoad(run);
  const goodput = load.verdict === "overloaded" ? null : goodputOf(run, limits, null);
  const throughput = {
    ...throughputOf(run, devices),
    goodput: goodput === null || goodput.samples === 0 ? null : goodput.good / goodput.samples,
  };
  const busyNs = run.replicaBusyNs.reduce((sum, ns) => sum + ns, 0);
  const cost = costOf(resolved.price, {
    devices,
    inputTokensPerSecond: throughput.totalTokensPerSecond - throughput.outputTokensPerSecond,
    outputTokensPerSecond: throughput.outputTokensPerSecond,
    promptTimeShare: busyNs > 0 ? run.promptBusyNs / busyNs : 0,
  });
  const { energy, ledger: energyLedger } = energyOf({
    device: config.node.device,
    devicesPerReplica: devicesOf(config.mapping),
    replicaBusyNs: run.replicaBusyNs,
    endNs: run.endNs,
    outputTokens: run.outputTokens,
  });
  const timeShare = timeShares(run.time);
  const experts = expertBalance(run);
  const context = judgeContext(run, load, limits, {
    throughput,
    cost,
    noCost:
      resolved.price === null
        ? `no price for ${config.node.device.name}: set cost.usdPerDeviceHour`
        : "no output tokens",
    imbalance: experts,
  });
  const latency = latencyStats(run, load, null);
  const accuracy = accuracyOf(resolved, {
    load,
    latency,
    outputTokensPerSecond: throughput.outputTokensPerSecond,
  });
  const slos = (scenario.slo?.thresholds ?? []).map((slo) => judge(slo, context));
  return {
    schemaVersion: forecastSchemaVersion,
    kind: "forecast",
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    seed: config.seed,
    inputs: resolved.inputs,
    deployment: {
      model: config.model.name,
      device: config.node.device.name,
      devices,
      replicas: config.replicas,
      mapping: config.mapping,
      engine: `${config.engine.name} ${config.engine.version}`,
      formats: { ...config.formats, kv: config.kvFormat },
      placement: resolved.placement,
      offload: resolved.offload,
    },
    interrupted: run.interrupted,
    requests: requestFates(run),
    load,
    latency,
    latencyByClass: Object.fromEntries(run.requests.classes.map((name) => [name, latencyStats(run, load, name)])),
    bands: accuracy.bands,
    throughput,
    cost,
    energy,
    experts,
    cache: run.cache,
    speculation: speculationOf(run),
    kv: {
      blocks: run.kv.blocks,
      peakShare: run.kv.blocks > 0 ? run.kv.peakBlocks / run.kv.blocks : 0,
      preemptions: run.kv.preemptions,
      prefixHitRate: run.kv.prefixLookupTokens > 0 ? run.kv.prefixHitTokens / run.kv.prefixLookupTokens : null,
    },
    memory: run.memory,
    timeShare,
    bottleneck: frontEndBottleneck(run, run.endNs, config.mapping.pp) ?? bottleneckOf(timeShare),
    resources: run.resources.map((use) => ({ ...use, utilisation: run.endNs > 0 ? use.busyNs / run.endNs : 0 })),
    series: {
      intervalS: run.series.intervalNs / 1e9,
      waiting: [...run.series.waiting],
      running: [...run.series.running],
      kvUse: [...run.series.kvUse],
      outputTokensPerSecond: Array.from(run.series.outputTokens, (tokens) => (tokens / run.series.intervalNs) * 1e9),
    },
    slos,
    passed: slos.every((verdict) => verdict.passed || verdict.level === "warn"),
    ledger: [...resolved.ledger, ...run.ledger, ...energyLedger, accuracy.ledger],
    laws: run.laws,
    sections: sectionsOf(run, load, limits),
    baseline: null,
    baselineRun: null,
  };
}

function requestFates(run: RunResult): Forecast["requests"] {
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
function speculationOf({ speculation }: RunResult): Forecast["speculation"] {
  if (speculation === null) return null;
  const { verifications, accepted } = speculation;
  return { ...speculation, acceptanceLength: verifications > 0 ? 1 + accepted / verifications : null };
}

/** Balance over MoE layers that routed anything; null without MoE layers. */
function expertBalance(run: RunResult): Forecast["experts"] {
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
