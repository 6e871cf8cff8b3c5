import { UsageError } from "../../core/errors.ts";

/** Values of a path from one end to the other. */
export interface Range {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  /** What stands behind the number, such as `/s`; empty for bare numbers. */
  readonly unit: string;
  /** Whether values are whole. */
  readonly whole: boolean;
  readonly scale: "linear" | "log";
}

/** Digits of a value that is not whole: enough to tell a million points apart. */
const digits = 9;

/** The value at a place from 0 to 1, as YAML text. */
export function valueAt({ from, to, unit, whole, scale }: Range, place: number): string {
  if (whole && scale === "linear") return `${Math.min(to, from + Math.floor(place * (to - from + 1)))}${unit}`;
  const value = scale === "log" ? from * Math.exp(place * Math.log(to / from)) : from + place * (to - from);
  // Rounding must not leave the range.
  const rounded = whole ? Math.round(value) : Number(value.toPrecision(digits));
  return `${Math.min(to, Math.max(from, rounded))}${unit}`;
}

/** A range by its ends as they are written. `at` names the place in messages. */
export function rangeOf(
  path: string,
  from: number | string,
  to: number | string,
  scale: Range["scale"],
  at: string,
): Range {
  const [low, high] = [numberAndUnit(from), numberAndUnit(to)];
  const say = (expected: string): never => {
    throw new UsageError(`${at}: expected ${expected}, found ${from} to ${to}`);
  };
  if (low === null || high === null) return say("two numbers, or two quantities such as 4/s and 32/s");
  if (low.unit !== high.unit) return say("ends of one unit");
  if (!(low.value < high.value)) return say("a smaller end, then a larger one");
  if (scale === "log" && low.value <= 0) return say("ends above 0 for a scale by ratio");
  return { path, from: low.value, to: high.value, unit: low.unit, whole: low.whole && high.whole, scale };
}

function numberAndUnit(end: number | string): { value: number; unit: string; whole: boolean } | null {
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([A-Za-z%/]*)\s*$/i.exec(String(end));
  if (match === null) return null;
  const [, number = "", unit = ""] = match;
  const value = Number(number);
  // 2.0 asks for values between, 2 does not.
  return Number.isFinite(value) ? { value, unit, whole: /^[+-]?\d+$/.test(number) } : null;
}
