import { version } from "../core/version.ts";
import type { ResolvedScenario } from "../resolve/resolved.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { poolsOf } from "../sim/config.ts";
import type { RunResult } from "../sim/result.ts";
import { accuracyOf } from "./bands/accuracy.ts";
import { bottleneckOf, frontEndBottleneck, timeShares } from "./bottleneck.ts";
import { figuresOf } from "./figures-of.ts";
import { type Forecast, forecastSchemaVersion } from "./forecast.ts";
import { judge } from "./judge.ts";
import { judgeContext } from "./run-metrics.ts";

/** Joins a run with its scenario: figures, verdicts, bottleneck and the fidelity ledger. */
export function buildForecast(scenario: Scenario, resolved: ResolvedScenario, run: RunResult): Forecast {
  const { config } = resolved;
  const limits = scenario.slo?.perRequest ?? null;
  const { figures, ledger } = figuresOf(resolved, run, limits);
  const { load, latency, throughput } = figures;
  const noCost =
    resolved.price === null ? `no price for ${config.node.device.name}: set cost.usdPerDeviceHour` : "no output tokens";
  const context = judgeContext({ run, figures, limits, noCost });
  const slos = (scenario.slo?.thresholds ?? []).map((slo) => judge(slo, context));
  const accuracy = accuracyOf(resolved, {
    load,
    latency,
    outputTokensPerSecond: throughput.outputTokensPerSecond,
    usdPerMillionOutputTokens: figures.cost?.usdPerMillionOutputTokens ?? null,
  });
  const timeShare = timeShares(run.time);
  const stated = scenario.stated();
  return {
    ...figures,
    schemaVersion: forecastSchemaVersion,
    kind: "forecast",
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    seed: config.seed,
    inputs: resolved.inputs,
    ...(stated === null ? {} : { stated }),
    deployment: {
      ...figures.deployment,
      model: config.model.name,
      device: config.node.device.name,
      replicas: poolsOf(config).reduce((sum, { replicas }) => sum + replicas, 0),
      mapping: config.mapping,
      engine: `${config.engine.name} ${config.engine.version}`,
      formats: { ...config.formats, kv: config.kvFormat },
      placement: resolved.placement,
      offload: resolved.offload,
    },
    bands: accuracy.bands,
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
    ledger: [...resolved.ledger, ...run.ledger, ...ledger, accuracy.ledger],
    laws: run.laws,
    baseline: null,
    baselineRun: null,
  };
}
