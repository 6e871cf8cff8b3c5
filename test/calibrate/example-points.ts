import type { ServingPoint } from "../../src/calibrate/measured/serving-point.ts";
import type { PointError, PointMetric } from "../../src/validate/serving/validation.ts";

/** A point of a made-up deployment; parts can be replaced. */
export const servingPoint = (parts: Partial<ServingPoint> = {}): ServingPoint => ({
  model: "toy/Moe",
  system: "toy_gpu",
  engine: "vllm",
  version: "0.19.0",
  precision: "fp8",
  promptTokens: 1024,
  outputTokens: 512,
  concurrency: 8,
  requests: null,
  tp: 2,
  dp: 1,
  etp: 2,
  ep: 1,
  devices: 2,
  ttftMs: 100,
  tpotMs: 10,
  measured: "2026-01-31",
  file: "points.csv",
  line: 2,
  ...parts,
});

/** A measured and a forecast value with their error. */
export const pointMetric = (
  measuredMs: number,
  predictedMs: number,
  band: readonly [number, number] | null = null,
): PointMetric => ({
  measuredMs,
  predictedMs,
  errorPercent: 100 * (predictedMs / measuredMs - 1),
  lowMs: band?.[0] ?? null,
  highMs: band?.[1] ?? null,
});

/** A forecast point with TPOT 10 ms measured and 11 ms forecast; parts of the point and of the error can be replaced. */
export const pointError = (point: Partial<ServingPoint> = {}, parts: Partial<PointError> = {}): PointError => ({
  point: servingPoint(point),
  tpot: pointMetric(10, 11),
  ttft: pointMetric(100, 90),
  saturated: false,
  listedSeries: null,
  reason: "experts are half of the step",
  ...parts,
});
