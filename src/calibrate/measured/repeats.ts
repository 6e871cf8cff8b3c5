import { modelOf } from "./names.ts";
import type { ServingPoint } from "./serving-point.ts";

/** A configuration that was measured: everything a row states but the date and the result. */
export interface Configuration {
  /** All rows of it, in the order of the file. */
  readonly points: readonly ServingPoint[];
  /** Rows that state an earlier row once more, at the same or another rounding: one measurement, not two. */
  readonly restated: readonly ServingPoint[];
}

/** The configurations of a table in order of first appearance. */
export function configurationsOf(points: readonly ServingPoint[]): Configuration[] {
  return gather(points, configurationKey).map((rows) => {
    const distinct: ServingPoint[] = [];
    const restated: ServingPoint[] = [];
    for (const row of rows) (distinct.some((earlier) => restates(row, earlier)) ? restated : distinct).push(row);
    return { points: rows, restated };
  });
}

/**
 * Splits a table into the smallest parts that a split into fit and test sets must not divide: rows of one
 * configuration, and rows that restate each other under two labels of the engine version or of a model of one shape. In
 * order of first appearance.
 */
export function inseparable(points: readonly ServingPoint[]): ServingPoint[][] {
  const unlabelled = (point: ServingPoint) =>
    configurationKey({ ...point, version: "", model: modelOf(point.model).id ?? point.model });
  return gather(points, unlabelled).flatMap(joinLabels);
}

/** Merges the labels of one configuration that share a measurement. */
function joinLabels(rows: readonly ServingPoint[]): ServingPoint[][] {
  let parts: ServingPoint[][] = [];
  for (const label of gather(rows, configurationKey)) {
    const shares = (part: readonly ServingPoint[]) => part.some((a) => label.some((b) => restates(a, b)));
    parts = [...parts.filter((part) => !shares(part)), [...parts.filter(shares).flat(), ...label]];
  }
  return parts;
}

function configurationKey(point: ServingPoint): string {
  const { model, system, engine, version, precision } = point;
  const { promptTokens, outputTokens, concurrency, requests, tp, dp, etp, ep } = point;
  const load = [promptTokens, outputTokens, concurrency, requests];
  return JSON.stringify([model, system, engine, version, precision, load, tp, dp, etp, ep]);
}

function gather(points: readonly ServingPoint[], keyOf: (point: ServingPoint) => string): ServingPoint[][] {
  const groups = new Map<string, ServingPoint[]>();
  for (const point of points) {
    const key = keyOf(point);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  return [...groups.values()];
}

/** Whether two rows can be one measurement, written at different rounding. */
function restates(a: ServingPoint, b: ServingPoint): boolean {
  return sameWhenRounded(a.ttftMs, b.ttftMs) && sameWhenRounded(a.tpotMs, b.tpotMs);
}

function sameWhenRounded(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  const unit = Math.max(lastDigit(a), lastDigit(b));
  // The slack is for binary fractions: 0.15 - 0.1 is a little above half of 0.1.
  return Math.abs(a - b) <= unit * 0.50001;
}

/** Value of the last digit of the shortest decimal form. */
function lastDigit(value: number): number {
  const decimals = /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0;
  return Number(`1e-${decimals}`);
}
