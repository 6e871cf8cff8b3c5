import type { KernelValidation } from "../../src/validate/kernels/kernel-validation.ts";
import { summarise } from "../../src/validate/serving/summarise.ts";
import type { PointError, Validation } from "../../src/validate/serving/validation.ts";
import { pointError, pointMetric, servingPoint } from "../calibrate/example-points.ts";

/** A validation of these points; one more is skipped. */
export const validation = (points: readonly PointError[], changes: Partial<Validation> = {}): Validation => ({
  schemaVersion: 2,
  kind: "validation",
  moecastVersion: "9.9.9",
  inputs: [{ role: "serving points", name: "points.csv", sha256: "0123456789abcdef".repeat(4) }],
  basis: "committed profiles",
  ...summarise(points),
  points,
  skipped: [{ point: servingPoint({ line: 99, model: "toy/Huge" }), reason: "does not fit: 90 GiB of weights" }],
  ...changes,
});

/** Twelve points of two setups at growing concurrency, one of them listed and saturated; errors grow by 2 % each. */
export const twelve: readonly PointError[] = Array.from({ length: 12 }, (_, i) => {
  const measuredMs = 10 + 5 * i;
  return pointError(
    { concurrency: 2 * (i + 1), line: i + 2, system: i % 2 === 0 ? "toy_gpu" : "big_gpu" },
    {
      tpot: pointMetric(measuredMs, measuredMs * (1 + 0.02 * i), [measuredMs * 0.9, measuredMs * 1.1]),
      saturated: i === 11,
      listedSeries: i === 11 ? "drafting is suspected" : null,
      reason: `reason ${i}`,
    },
  );
});

/** A validation of the kernels of one device: one family with maps of its own, one forecast by the profile's figures. */
export const kernelsExample = (): KernelValidation => ({
  schemaVersion: 2,
  kind: "kernel-validation",
  moecastVersion: "9.9.9",
  basis: "maps of the device profiles",
  overall: { rows: 200, mean: 0.06, median: 0.05, p90: 0.15, bias: -0.01 },
  groups: [
    {
      group: "experts",
      device: null,
      error: { rows: 150, mean: 0.04, median: 0.03, p90: 0.1, bias: 0.002 },
      level: 1,
      heldOut: { rows: 30, mean: 0.07, median: 0.05, p90: 0.18 },
      leftOutRows: 3,
    },
  ],
  families: [
    {
      device: "toy",
      family: "groupedGemm",
      error: { rows: 150, mean: 0.04, median: 0.03, p90: 0.1, bias: 0.002 },
      heldOut: { rows: 30, mean: 0.07, median: 0.05, p90: 0.18 },
      mapsOf: ["toy"],
      leftOutRows: 3,
      leftOut: { listed: 2, untuned: 0, hostBound: 1, cached: 0, impossible: 0 },
    },
    {
      device: "toy",
      family: "allReduce",
      error: { rows: 50, mean: 0.12, median: 0.11, p90: 0.3, bias: -0.046 },
      heldOut: null,
      mapsOf: [],
      leftOutRows: 0,
      leftOut: { listed: 0, untuned: 0, hostBound: 0, cached: 0, impossible: 0 },
    },
  ],
  tables: ["a.csv"],
  skipped: [{ name: "README.csv", reason: "no table of measured kernels" }],
});
