import type { BaselineDelta, Forecast, SloVerdict } from "../../src/forecast/forecast.ts";
import type { LatencyStats } from "../../src/metrics/latency-figures.ts";
import type { sectionMetrics } from "../../src/metrics/run-sections.ts";
import { latencyMetrics } from "../../src/sim/outcome/request-latencies.ts";
import { type TimeComponent, timeComponents } from "../../src/sim/result.ts";

/** Latency statistics around a mean of `ms`. */
export const stats = (ms: number, n = 2000): LatencyStats => ({
  n,
  mean: ms,
  meanHalfWidth: ms / 20,
  p50: ms * 0.9,
  p90: ms * 1.5,
  p95: ms * 1.8,
  p99: ms * 2.5,
  p999: ms * 2.9,
  max: ms * 3,
  intervals: { p999: { lowMs: ms * 2.6, highMs: null } },
});

export const verdict = (changes: Partial<SloVerdict> = {}): SloVerdict => ({
  metric: "ttft",
  expression: "p(99)<800ms",
  level: "error",
  passed: true,
  value: 612,
  valueText: "612 ms",
  interval: null,
  margin: 0.235,
  samples: 2000,
  reason: null,
  ...changes,
});

const latencies = (scale: number) =>
  Object.fromEntries(latencyMetrics.map((metric, i) => [metric, stats(scale * (i + 1))])) as Forecast["latency"];

export const delta = (changes: Partial<BaselineDelta> = {}): BaselineDelta => ({
  metric: "ttft.p99",
  unit: "ms",
  before: 100,
  after: 150,
  worseBy: 50,
  regression: 0.5,
  limit: 0.05,
  halfWidth: 12,
  failed: true,
  ...changes,
});

/** A small forecast with something in every part of it. */
export function forecast(changes: Partial<Forecast> = {}): Forecast {
  const timeShare = Object.fromEntries(timeComponents.map((component) => [component, 0])) as Record<
    TimeComponent,
    number
  >;
  return {
    schemaVersion: 3,
    kind: "forecast",
    moecastVersion: "9.9.9",
    scenario: { name: "small", description: "a hand-built forecast", file: "small.yaml" },
    seed: 7,
    inputs: [{ role: "scenario", name: "small.yaml", sha256: "0123456789abcdef".repeat(4) }],
    deployment: {
      model: "toy-moe",
      device: "Toy GPU",
      devices: 4,
      replicas: 1,
      mapping: { tp: 1, cp: 1, dp: 4, pp: 1, ep: 4, etp: 1, edp: 1 },
      engine: "vLLM 0.19",
      formats: { experts: "fp8", kv: "bf16" },
      placement: "lpt",
      offload: "lfu, 2 of 8 experts a layer",
    },
    interrupted: false,
    requests: { total: 2100, completed: 2090, rejected: 10, unfinished: 0, warmup: 100, preemptions: 3 },
    load: {
      verdict: "stable",
      loop: "open",
      offeredRequestsPerSecond: 5,
      sustainedRequestsPerSecond: null,
      sustainedHalfWidth: null,
      requestsNeeded: null,
      reason: "the time in system keeps its level",
    },
    latency: latencies(100),
    latencyByClass: { chat: latencies(80), summary: latencies(300) },
    bands: {
      nominal: 0.8,
      basis: "validated",
      unvalidated: null,
      factors: { tpot: [0.9, 1.15], ttft: [0.8, 1.2] },
      withPoint: { tpot: [0.9, 1.1], ttft: [0.8, 1.2] },
      ends: null,
      nearest: { model: "toy-moe", device: "toy-gpu", engine: "vllm", distance: 0, differs: [] },
      metrics: {
        tpot: { lowMs: 180, highMs: 230 },
        ttft: { lowMs: 80, highMs: 120 },
        outputTokensPerSecond: { low: 1100, high: 1400 },
        usdPerMillionOutputTokens: { low: 1.8, high: 2.3 },
        goodput: null,
      },
    },
    throughput: {
      durationS: 420,
      requestsPerSecond: 4.98,
      outputTokensPerSecond: 1234.5,
      outputTokensPerSecondPerDevice: 308.625,
      totalTokensPerSecond: 4321,
      meanBatchTokens: 77,
      goodput: 0.987,
    },
    cost: {
      usdPerHour: 10,
      price: { usdPerDeviceHour: 2.5, source: "a quote, 2026-03-10" },
      usdPerMillionOutputTokens: 2.25,
      usdPerMillionTokens: 0.64,
      divided: { promptTimeShare: 0.2, usdPerMillionInputTokens: 0.18, usdPerMillionOutputTokens: 1.8 },
    },
    energy: { joulesPerOutputToken: 1.5, averageW: 1850 },
    experts: {
      imbalance: 1.25,
      imbalanceMax: 2.5,
      expertSkew: 1.75,
      distinctExpertsPerStep: 7.5,
      layers: [
        { imbalance: 1.2, imbalanceMax: 2, expertSkew: 1.5, distinctExperts: 7, pairs: 1000 },
        { imbalance: 1.3, imbalanceMax: 2.5, expertSkew: 2, distinctExperts: 8, pairs: 1000 },
      ],
      rankLoad: [1.25, 1, 0.9, 0.85],
    },
    cache: {
      policy: "lfu",
      scope: "layer",
      slots: 2,
      accesses: 1000,
      hits: 600,
      misses: 400,
      diskReads: 40,
      fetchedBytes: 400 * 2 ** 20,
      stallNs: 2e9,
      actions: null,
      unionOverCapacity: 0.8,
      reference: { accesses: 900, policy: 0.61, belady: 0.72, bestStatic: 0.65, lru: 0.58 },
    },
    speculation: { verifications: 400, drafted: 800, accepted: 600, acceptanceLength: 2.5 },
    kv: { blocks: 1000, peakShare: 0.4, preemptions: 3, prefixHitRate: 0.125 },
    memory: {
      tiers: [
        {
          tier: "Toy GPU memory",
          capacityBytes: 16 * 2 ** 30,
          usedBytes: 12 * 2 ** 30,
          items: [
            { name: "routed experts", bytes: 8 * 2 ** 30 },
            { name: "KV cache", bytes: 4 * 2 ** 30 },
          ],
        },
      ],
      kvBlocks: 1000,
      kvBytesPerToken: 4096,
    },
    timeShare: { ...timeShare, experts: 0.6, expertFetch: 0.4 },
    bottleneck: {
      component: "experts",
      share: 0.6,
      advice: {
        metric: "TPOT p50",
        requests: 300,
        tried: 3,
        helps: [
          {
            text: "prompts in smaller chunks",
            set: ["engine.maxNumBatchedTokens=2048"],
            metric: "TPOT p50",
            unit: "ms",
            before: 268,
            after: 155,
            costs: [],
          },
        ],
      },
    },
    resources: [{ name: "replica 0", busyNs: 9e9, bytes: 0, utilisation: 0.9 }],
    series: { intervalS: 1, waiting: [0, 1], running: [2, 3], kvUse: [0.1, 0.2], outputTokensPerSecond: [10, 20] },
    slos: [
      verdict(),
      verdict({
        metric: "tpot{class:chat}",
        expression: "p(50)<10ms",
        passed: false,
        value: 31,
        valueText: "31 ms",
        margin: -2.1,
      }),
      verdict({
        metric: "e2e",
        expression: "p(99.9)<3s",
        level: "warn",
        passed: false,
        value: 2.9,
        valueText: "2.9 s (at least 2.6 s)",
        interval: { low: 2.6, high: null },
        margin: 0.03,
        reason: "the 95% interval does not clear the limit: 2,000 of 10,000 samples for p(99.9)",
      }),
    ],
    passed: false,
    ledger: [
      { topic: "routing", fidelity: "replayed", detail: "each token reads one row" },
      { topic: "kernel overhead", fidelity: "assumed", detail: "4 us per kernel" },
    ],
    laws: { causality: 10, progress: 20 },
    sections: null,
    baseline: null,
    baselineRun: null,
    ...changes,
  };
}

/** The forecast of a deployment that cannot keep up with its load. */
/** A forecast whose ten parts are each like the whole, so that every difference is beyond its interval. */
export function steady(one: Forecast = forecast()): Forecast {
  const alike = (value: number | null) => Array.from({ length: 10 }, () => value ?? 0);
  const { throughput } = one;
  const latency = (metric: (typeof sectionMetrics)[number]) => {
    const { mean, p50, p90, p99 } = one.latency[metric];
    return { mean: alike(mean), p50: alike(p50), p90: alike(p90), p99: alike(p99) };
  };
  return {
    ...one,
    sections: {
      latency: { ttft: latency("ttft"), tpot: latency("tpot"), e2e: latency("e2e"), queue: latency("queue") },
      goodput: alike(throughput.goodput),
      requestsPerSecond: alike(throughput.requestsPerSecond),
      outputTokensPerSecond: alike(throughput.outputTokensPerSecond),
    },
  };
}

export const overloaded = (): Forecast =>
  forecast({
    load: {
      verdict: "overloaded",
      loop: "open",
      offeredRequestsPerSecond: 50,
      sustainedRequestsPerSecond: 12,
      sustainedHalfWidth: 0.5,
      requestsNeeded: null,
      reason: "900 of 2,100 requests were waiting at the last arrival",
    },
    bands: {
      ...(forecast().bands as NonNullable<Forecast["bands"]>),
      metrics: { tpot: null, ttft: null, outputTokensPerSecond: null, usdPerMillionOutputTokens: null, goodput: null },
    },
  });

/** A forecast of a run that cannot tell whether the deployment keeps up. */
export const tooShort = (): Forecast =>
  forecast({
    load: {
      verdict: "tooShort",
      loop: "open",
      offeredRequestsPerSecond: 50,
      sustainedRequestsPerSecond: null,
      sustainedHalfWidth: null,
      requestsNeeded: 4300,
      reason: "2,100 requests arrive in 3.1 times what one takes; 15 are needed",
    },
  });
