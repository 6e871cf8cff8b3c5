import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { quantile } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";
import type {
  BandCoverage,
  ErrorSummary,
  MetricError,
  OrderingShare,
  PointError,
  PointMetric,
  SetupError,
  Validation,
} from "./validation.ts";

/** The part of a validation that follows from the errors of its points. */
export type ValidationSummary = Pick<
  Validation,
  "overall" | "withoutListed" | "setups" | "ordering" | "orderingWithoutListed" | "bands" | "worst"
>;

/** Share of measured values that a band promises to hold. */
const nominalCoverage = 0.8;

/** Points that are shown as the worst. */
const worstShown = 10;

/** Measured values closer than this, relative to the smaller one, are no decision: repeats of a run differ by as much. */
const distinctRatio = 1.1;

/** Summaries of a validation, all independent of the order of the points. */
export function summarise(points: readonly PointError[]): ValidationSummary {
  const unlisted = points.filter((point) => point.listedSeries === null);
  return {
    overall: errorSummary(points),
    withoutListed: errorSummary(unlisted),
    setups: setupErrors(points),
    ordering: orderingShare(points),
    orderingWithoutListed: orderingShare(unlisted),
    bands: bandCoverage(points),
    worst: worstPoints(points),
  };
}

/**
 * Statistics of signed percent errors: arithmetic mean, median and 90th percentile (type 7) of their sizes, and the
 * arithmetic mean of the signed errors as bias. Null where there are none.
 */
export function metricError(errorsPercent: readonly number[]): MetricError {
  const points = errorsPercent.length;
  if (points === 0)
    return {
      points,
      meanAbsolutePercent: null,
      medianAbsolutePercent: null,
      p90AbsolutePercent: null,
      biasPercent: null,
    };
  // Sums of sorted values do not depend on the order of the points, not even in their last bit.
  const signed = Float64Array.from(errorsPercent).sort();
  const sizes = signed.map(Math.abs).sort();
  return {
    points,
    meanAbsolutePercent: mean(sizes),
    medianAbsolutePercent: quantile(sizes, 0.5),
    p90AbsolutePercent: quantile(sizes, 0.9),
    biasPercent: mean(signed),
  };
}

function errorSummary(points: readonly PointError[]): ErrorSummary {
  const errors = (metrics: readonly (PointMetric | null)[]) =>
    metricError(metrics.flatMap((metric) => (metric === null ? [] : [metric.errorPercent])));
  return {
    points: points.length,
    tpot: errors(points.map(({ tpot }) => tpot)),
    ttft: errors(points.map(({ ttft }) => ttft)),
    ttftUnsaturated: errors(points.filter(({ saturated }) => !saturated).map(({ ttft }) => ttft)),
  };
}

/** One summary for each (model, system, engine), ordered by these names. */
function setupErrors(points: readonly PointError[]): SetupError[] {
  const setups = groupBy(points, ({ point }) => [point.model, point.system, point.engine]);
  return setups
    .flatMap((members) => {
      const [first] = members;
      if (first === undefined) return [];
      const { model, system, engine } = first.point;
      return [{ model, system, engine, ...errorSummary(members) }];
    })
    .sort((a, b) => compare(a.model, b.model) || compare(a.system, b.system) || compare(a.engine, b.engine));
}

/**
 * Of all unordered pairs of points with the same model and load (prompt tokens, output tokens, concurrency) whose
 * measured TPOT differs by more than 10 % of the smaller, the share that the forecast orders the same way; equal
 * forecasts do not. Points of one configuration, engine version included, are repeats of each other and no pair.
 */
export function orderingShare(points: readonly PointError[]): OrderingShare {
  let pairs = 0;
  let correct = 0;
  const judged = points.filter((point): point is PointError & { readonly tpot: PointMetric } => point.tpot !== null);
  const loads = groupBy(judged, ({ point }) => [
    point.model,
    point.promptTokens,
    point.outputTokens,
    point.concurrency,
  ]);
  for (const members of loads) {
    const sorted = members.sort((a, b) => a.tpot.measuredMs - b.tpot.measuredMs);
    const measuredMs = Float64Array.from(sorted, ({ tpot }) => tpot.measuredMs);
    const predictedMs = Float64Array.from(sorted, ({ tpot }) => tpot.predictedMs);
    const configurations = new Map<string, number>();
    const configuration = Int32Array.from(sorted, ({ point }) => numberOf(configurations, configurationOf(point)));
    for (let fast = 0; fast < sorted.length; fast += 1)
      for (let slow = sorted.length - 1; measuredMs[slow]! > distinctRatio * measuredMs[fast]!; slow -= 1) {
        if (configuration[slow] === configuration[fast]) continue;
        pairs += 1;
        if (predictedMs[slow]! > predictedMs[fast]!) correct += 1;
      }
  }
  return { pairs, correct, share: pairs === 0 ? null : correct / pairs };
}

/** The number of a name in order of first appearance. */
function numberOf(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

/** What a planner chooses between at a given load. */
const configurationOf = (point: ServingPoint): string =>
  JSON.stringify([
    point.system,
    point.engine,
    point.version,
    point.precision,
    point.devices,
    point.tp,
    point.dp,
    point.etp,
    point.ep,
  ]);

/** Coverage over the points that have a band; null where none has. */
function bandCoverage(points: readonly PointError[]): Validation["bands"] {
  const tpot = coverage(points.map((point) => point.tpot));
  const ttft = coverage(points.map((point) => point.ttft));
  return tpot.points + ttft.points === 0 ? null : { tpot, ttft };
}

function coverage(metrics: readonly (PointMetric | null)[]): BandCoverage {
  let points = 0;
  let inside = 0;
  for (const metric of metrics) {
    if (metric === null || metric.lowMs === null || metric.highMs === null) continue;
    points += 1;
    if (metric.lowMs <= metric.measuredMs && metric.measuredMs <= metric.highMs) inside += 1;
  }
  return { nominal: nominalCoverage, points, inside, share: points === 0 ? null : inside / points };
}

/** Points with the largest TPOT errors, worst first, equal ones in order of their place. */
function worstPoints(points: readonly PointError[]): PointError[] {
  const size = ({ tpot }: PointError) => Math.abs(tpot?.errorPercent ?? 0);
  return points
    .filter(({ tpot }) => tpot !== null)
    .sort((a, b) => size(b) - size(a) || compare(a.point.file, b.point.file) || a.point.line - b.point.line)
    .slice(0, worstShown);
}

/** Items that share a key, in order of first appearance. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => readonly (string | number)[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [item]);
    else members.push(item);
  }
  return [...groups.values()];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
