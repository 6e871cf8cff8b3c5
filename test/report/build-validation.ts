import { summarise } from "../../src/forecast/validation/summarise.ts";
import type { PointError, Validation } from "../../src/forecast/validation/validation.ts";
import { pointError, pointMetric, servingPoint } from "../forecast/example-points.ts";

/** A validation of these points; one more is skipped. */
export const validation = (points: readonly PointError[], changes: Partial<Validation> = {}): Validation => ({
  schemaVersion: 1,
  kind: "validation",
  engineVersion: "9.9.9",
  inputs: [{ role: "serving points", name: "points.csv", sha256: "0123456789abcdef".repeat(4) }],
  basis: "committed profiles",
  ...summarise(points),
  points,
  skipped: [{ point: servingPoint({ line: 99, model: "toy/Huge" }), reason: "does not fit: 90 GiB of weights" }],
  ...changes,
});

/** Twelve points of two groups at growing concurrency, one of them listed and saturated; errors grow by 2 % each. */
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
