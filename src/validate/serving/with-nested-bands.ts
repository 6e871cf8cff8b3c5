import type { Band } from "../../forecast/bands/band.ts";
import { type BandClass, errorBandTable } from "../../forecast/bands/error-band-table.ts";
import { bandedLatencies, inScale, type Latency, nestedBands, residualsOf } from "./class-bands.ts";
import type { PointError, PointMetric } from "./validation.ts";

/**
 * Errors of left-out forecasts with bands that have not seen them: for each part that was left out the band is made of the
 * errors of all other parts. Points with too few others keep the band of their class in the committed table.
 */
export function withNestedBands(errors: readonly PointError[], of: BandClass): PointError[] {
  const bands = { tpot: bandsByPoint(errors, of, "tpot"), ttft: bandsByPoint(errors, of, "ttft") };
  return errors.map((error) => {
    const metric = (latency: Latency): PointMetric | null => {
      const own = error[latency];
      const band = bands[latency].get(error) ?? null;
      if (own === null || band === null) return own;
      return { ...own, lowMs: own.predictedMs * band[0], highMs: own.predictedMs * band[1] };
    };
    const [tpot, ttft] = bandedLatencies.map(metric) as [PointMetric | null, PointMetric | null];
    return { ...error, tpot, ttft };
  });
}

function bandsByPoint(errors: readonly PointError[], of: BandClass, latency: Latency): Map<PointError, Band | null> {
  const plain = residualsOf(errors, of, latency);
  const bands = nestedBands(of, { [of]: inScale(of, plain, plain) }, errorBandTable.nominal);
  const byPoint = new Map(plain.map(({ point }, i) => [point, bands[i] ?? null]));
  return new Map(errors.map((error) => [error, byPoint.get(error.point) ?? null]));
}
