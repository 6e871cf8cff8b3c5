import { quantiles } from "../../core/quantile.ts";
import { studentT } from "../../core/student-t.ts";
import type { Band } from "../../forecast/bands/band.ts";
import { type Residual, residualsBy } from "./residual-bands.ts";

/**
 * The band that is to hold the share `nominal` of the residuals of a part that is yet to be seen. Residuals of one part are
 * much alike, so a few parts say little of the next one, however many residuals they have. Quantiles of the residuals (type 7),
 * cut off evenly at both ends, are moved away from the median by {@link groupInflation}. The band holds the forecast itself.
 * Independent of the order of residuals; NaN without any.
 */
export function groupBand(residuals: readonly Residual[], nominal: number): Band {
  const tail = (1 - nominal) / 2;
  const logs = Float64Array.from(residuals, ({ log }) => log);
  const [low = Number.NaN, middle = Number.NaN, high = Number.NaN] = quantiles(logs, [tail, 0.5, 1 - tail]);
  const factor = groupInflation(residuals, nominal);
  const end = (log: number) => Math.exp(middle + factor * (log - middle));
  return [Math.min(1, end(low)), Math.max(1, end(high))];
}

/** Residuals beyond these quantiles count as lying there, so that a part far off does not make the spread of all. */
const winsorised = [0.05, 0.95] as const;

/**
 * How much wider than the quantiles of G parts a band for another part has to be. With variances B between parts and W
 * within, by analysis of variance on winsorised residuals,
 *
 *     t(v) / t(N - 1) x sqrt((B (1 + 1/G) + W) / (B (1 - 1/G) + W)):
 *
 * the prediction interval of a new part over the spread of the old ones. v are the degrees of freedom of B + W
 * (Satterthwaite 1946): near G - 1 where parts differ, near N where they do not. 1 with one part, which shows no B.
 */
export function groupInflation(residuals: readonly Residual[], nominal: number): number {
  const parts = [...residualsBy(residuals, ({ part }) => part).values()].map((own) => own.map(({ log }) => log));
  const [groups, count] = [parts.length, residuals.length];
  if (groups < 2 || count <= groups) return 1;
  const sorted = Float64Array.from(residuals, ({ log }) => log).sort();
  const [least = 0, most = 0] = quantiles(sorted, winsorised);
  const clipped = (log: number) => Math.min(most, Math.max(least, log));
  const mean = sorted.reduce((sum, log) => sum + clipped(log), 0) / count;
  const means = parts.map(
    (own) => own.toSorted((a, b) => a - b).reduce((sum, log) => sum + clipped(log), 0) / own.length,
  );
  const between = orderlySum(parts.map((own, i) => own.length * square(means[i]! - mean)));
  const within = orderlySum(parts.flatMap((own, i) => own.map((log) => square(clipped(log) - means[i]!))));
  const size = (count - orderlySum(parts.map((own) => square(own.length))) / count) / (groups - 1);
  const betweenMean = between / (groups - 1);
  const w = within / (count - groups);
  const b = Math.max(0, (betweenMean - w) / size);
  if (!(b + w > 0)) return 1;
  const degrees = square(b + w) / (square(b + w / size) / (groups - 1) + square(w * (1 - 1 / size)) / (count - groups));
  const t = (v: number) => studentT(Math.min(degreesMax, Math.max(1, Math.floor(v))), nominal);
  return (
    (t(Math.min(degrees, count - 1)) / t(count - 1)) *
    Math.sqrt((b * (1 + 1 / groups) + w) / (b * (1 - 1 / groups) + w))
  );
}

/** Beyond this many degrees of freedom t is that of the normal distribution within a thousandth. */
const degreesMax = 1000;

const square = (x: number): number => x * x;

/** Sums of sorted terms do not depend on the order of the parts, not even in their last bit. */
const orderlySum = (terms: readonly number[]): number =>
  terms.toSorted((a, b) => a - b).reduce((sum, term) => sum + term, 0);
