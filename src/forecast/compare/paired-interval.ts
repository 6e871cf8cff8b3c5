import { sectioningHalfWidth } from "../../core/sectioning.ts";
import { mean, meanInterval } from "../../core/statistics.ts";
import type { ComparedMetric } from "../compared-metrics.ts";
import type { Forecast } from "../forecast.ts";

/** Some 26 metrics are compared at once, so that one in twenty would be wrong in most comparisons. */
export const intervalLevel = 0.99;

/**
 * Shared seeds from which on figures are compared over seeds: by Student's t, the interval of fewer is wider than that of the ten
 * sections of a single run.
 */
export const pairedSeedsLeast = 4;

/** What figures and interval stand on: means over the seeds that both results ran, or equal sections of their first runs. */
export type IntervalBasis = "seeds" | "sections";

/** A metric of two results, and the half-width of the 99 % interval of its difference; each null where it is not known. */
export interface PairedFigures {
  readonly before: number | null;
  readonly after: number | null;
  readonly halfWidth: number | null;
  readonly basis: IntervalBasis | null;
}

/**
 * A metric of two results over the seeds that both ran, where these are enough; else of their first runs. The interval is of
 * paired differences: what both runs of a pair drew alike cancels in it, and what they drew apart widens it.
 */
export function pairedFigures(metric: ComparedMetric, before: Forecast, after: Forecast): PairedFigures {
  return overSeeds(metric, before, after) ?? overSections(metric, before, after);
}

/** Places of the seeds that both results ran, in the lists of each; none where a result is of a single run. */
export function sharedSeeds(before: Forecast, after: Forecast): (readonly [before: number, after: number])[] {
  const [first, second] = [before.repetitions?.seeds ?? [], after.repetitions?.seeds ?? []];
  const places = new Map(second.map((seed, i) => [seed, i]));
  return first.flatMap((seed, i) => (places.has(seed) ? [[i, places.get(seed)!] as const] : []));
}

/** null where too few seeds are shared or a result does not keep the metric by seed. */
function overSeeds({ name }: ComparedMetric, before: Forecast, after: Forecast): PairedFigures | null {
  const shared = sharedSeeds(before, after);
  const [first, second] = [before, after].map(({ repetitions }) => valuesOf(repetitions?.metrics, name));
  if (shared.length < pairedSeedsLeast || first === null || second === null) return null;
  const pairs = shared.map(([i, j]) => [first?.[i] ?? null, second?.[j] ?? null] as const);
  // A figure that a run of one result lacks is missing: a mean of the runs that have it would leave out the worst.
  const known = pairs.filter(([was, is]) => was !== null || is !== null);
  const [was, is] = [allOf(known.map(([value]) => value)), allOf(known.map(([, value]) => value))];
  const meanOf = (values: readonly number[] | null) => (values === null ? null : mean(values));
  if (was === null || is === null) return { before: meanOf(was), after: meanOf(is), halfWidth: null, basis: null };
  const { halfWidth } = meanInterval(
    is.map((value, i) => value - was[i]!),
    intervalLevel,
  );
  return {
    before: mean(was),
    after: mean(is),
    halfWidth: Number.isFinite(halfWidth) ? halfWidth : null,
    basis: Number.isFinite(halfWidth) ? "seeds" : null,
  };
}

const valuesOf = (metrics: NonNullable<Forecast["repetitions"]>["metrics"] | undefined, name: string) =>
  metrics !== undefined && Object.hasOwn(metrics, name) ? metrics[name]! : null;

/** The values if there are some and none is null. */
const allOf = (values: readonly (number | null)[]): number[] | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 || known.length < values.length ? null : known;
};

/**
 * Of the first runs. No interval where a run has no sections of the metric, and where their differences have no finite one, as
 * those of an edited result may.
 */
function overSections(metric: ComparedMetric, before: Forecast, after: Forecast): PairedFigures {
  const [was, is] = [metric.of(before), metric.of(after)];
  const [first, second] = [metric.sections(before), metric.sections(after)];
  const none = { before: was, after: is, halfWidth: null, basis: null };
  if (first === null || second === null || was === null || is === null || first.length !== second.length) return none;
  const differences = second.map((value, i) => value - first[i]!);
  const halfWidth = sectioningHalfWidth(is - was, differences, intervalLevel);
  return Number.isFinite(halfWidth) ? { ...none, halfWidth, basis: "sections" } : none;
}
