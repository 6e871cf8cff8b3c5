import { closest } from "../core/suggest.ts";
import { parseQuantity } from "../core/units.ts";
import type { SloAggregation } from "../metrics/metric.ts";
import { type SloMetricName, sloMetricNames, sloMetrics } from "../metrics/slo-metrics.ts";

/** The metric an SLO speaks of, narrowed to one request class or over all of them. */
export interface SloTarget {
  readonly metric: SloMetricName;
  readonly requestClass: string | null;
}

export const comparators = {
  "<": (a: number, b: number) => a < b,
  "<=": (a: number, b: number) => a <= b,
  ">": (a: number, b: number) => a > b,
  ">=": (a: number, b: number) => a >= b,
  "==": (a: number, b: number) => a === b,
} as const satisfies Record<string, (value: number, limit: number) => boolean>;

export type Comparator = keyof typeof comparators;

/** `p(99)<800ms`: what is computed from the samples, and what it is compared with. */
export interface SloExpression {
  readonly aggregation: SloAggregation;
  readonly comparator: Comparator;
  /** Number and unit as written, such as 800 and `ms`; the unit is empty for bare numbers. */
  readonly number: number;
  readonly unit: string;
  /** The limit in base units: ns, per second, share, or the number itself. */
  readonly limit: number;
}

/** Why a text is no expression: where in it, and what was expected there. */
export interface GrammarError {
  readonly offset: number;
  readonly expected: string;
  readonly hint?: string;
}

export type Parsed<T> = { readonly ok: T } | { readonly error: GrammarError };

/** Grammar of SLOs, as the documentation prints it. */
export const sloGrammar = `target      = metric [ "{" "class" ":" name "}" ]
expression  = aggregation comparator limit
aggregation = "p(" number ")" | "p" number | "med" | "mean" | "avg" | "min" | "max" | "rate" | "value"
comparator  = "<" | "<=" | ">" | ">=" | "=="
limit       = number [ unit ]
unit        = "ns" | "us" | "ms" | "s" | "min" | "h" | "%" | "/s" | "/min" | "/h"
number      = digits [ "." digits ] [ ( "e" | "E" ) [ "+" | "-" ] digits ]`;

/** A place in a text, moving forward. Patterns are sticky, so that they match at the place only. */
class Cursor {
  offset = 0;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  skipSpace(): void {
    this.take(/\s*/y);
  }
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.offset;
    const match = pattern.exec(this.text)?.[0];
    if (match === undefined) return null;
    this.offset += match.length;
    return match;
  }
  get done(): boolean {
    return this.offset >= this.text.length;
  }
}

const fail = (offset: number, expected: string, hint?: string): { readonly error: GrammarError } => ({
  error: { offset, expected, ...(hint === undefined ? {} : { hint }) },
});

/** Parses `ttft` or `ttft{class:chat}`. */
export function parseTarget(text: string): Parsed<SloTarget> {
  const at = new Cursor(text);
  at.skipSpace();
  const start = at.offset;
  const name = at.take(/[A-Za-z_][A-Za-z0-9_]*/y);
  if (name === null) return fail(start, "a metric");
  const metric = sloMetricNames.find((known) => known === name);
  if (metric === undefined) {
    const near = closest(name, sloMetricNames);
    return fail(start, `a metric: ${sloMetricNames.join(", ")}`, near === null ? undefined : `did you mean ${near}?`);
  }
  at.skipSpace();
  const brace = at.offset;
  if (at.take(/\{/y) === null)
    return at.done ? { ok: { metric, requestClass: null } } : fail(brace, "the end or {class:NAME}");
  at.skipSpace();
  if (at.take(/class\b/y) === null) return fail(at.offset, "class, the only tag requests have");
  at.skipSpace();
  if (at.take(/:/y) === null) return fail(at.offset, '":" between class and its name');
  at.skipSpace();
  const requestClass = at.take(/[^\s{},:][^{},]*/y)?.trim();
  if (requestClass === undefined) return fail(at.offset, "the name of a class");
  if (at.take(/\}/y) === null) return fail(at.offset, '"}"');
  at.skipSpace();
  if (!at.done) return fail(at.offset, "the end");
  if (!sloMetrics[metric].byClass) return fail(brace, `${metric} without a tag: it is known over all classes only`);
  return { ok: { metric, requestClass } };
}

/** Parses an expression such as `p(99)<800ms` for a metric; limits of durations and rates need their unit. */
export function parseExpression(text: string, metric: SloMetricName): Parsed<SloExpression> {
  const at = new Cursor(text);
  at.skipSpace();
  const start = at.offset;
  const aggregation = takeAggregation(at);
  if ("error" in aggregation) return aggregation;
  const allowed = sloMetrics[metric].aggregations;
  if (!allowed.includes(aggregation.ok.kind))
    return fail(start, `${allowed.map((kind) => aggregationForms[kind]).join(" or ")} for ${metric}`);
  at.skipSpace();
  const comparator = at.take(/<=|>=|==|<|>/y) as Comparator | null;
  if (comparator === null) return fail(at.offset, "one of <, <=, >, >=, ==");
  at.skipSpace();
  const limitAt = at.offset;
  const number = at.take(numberPattern);
  if (number === null) return fail(limitAt, "a number");
  at.skipSpace();
  const unitAt = at.offset;
  const unit = at.take(/[^\s]*/y) ?? "";
  at.skipSpace();
  if (!at.done) return fail(at.offset, "the end");
  const dimension = aggregation.ok.kind === "rate" ? "ratio" : sloMetrics[metric].dimension;
  const limit = limitOf(number, unit, dimension);
  if (limit === null) return fail(unitAt, limitForms[dimension]);
  return { ok: { aggregation: aggregation.ok, comparator, number: Number(number), unit, limit } };
}

const numberPattern = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const aggregationForms: Readonly<Record<SloAggregation["kind"], string>> = {
  percentile: "p(N)",
  mean: "mean",
  min: "min",
  max: "max",
  rate: "rate",
  value: "value",
};

const limitForms = {
  duration: "a duration unit: ns, us, ms, s, min or h",
  rate: "the unit /s",
  ratio: "a share or a percentage, without another unit",
  number: "a number without a unit",
} as const;

function limitOf(number: string, unit: string, dimension: keyof typeof limitForms): number | null {
  const value = Number(number);
  if (dimension === "number") return unit === "" && Number.isFinite(value) ? value : null;
  return unit === "" && dimension !== "ratio" ? null : parseQuantity(`${number}${unit}`, dimension);
}

function takeAggregation(at: Cursor): Parsed<SloAggregation> {
  const start = at.offset;
  const word = at.take(/[A-Za-z]+/y);
  switch (word) {
    case "p":
      return takePercentile(at);
    case "med":
      return { ok: { kind: "percentile", percent: 50 } };
    case "avg":
      return { ok: { kind: "mean" } };
    case "mean":
    case "min":
    case "max":
    case "rate":
    case "value":
      return { ok: { kind: word } };
    default: {
      const near = word === null ? null : closest(word, ["med", "mean", "avg", "min", "max", "rate", "value"]);
      return fail(
        start,
        "p(N), med, mean, min, max, rate or value",
        near === null ? undefined : `did you mean ${near}?`,
      );
    }
  }
}

function takePercentile(at: Cursor): Parsed<SloAggregation> {
  const open = at.take(/\(\s*/y) !== null;
  const start = at.offset;
  const number = at.take(numberPattern);
  const percent = number === null ? Number.NaN : Number(number);
  if (!(percent > 0 && percent < 100)) return fail(start, "a percentile above 0 and below 100, such as p(99)");
  at.skipSpace();
  if (open && at.take(/\)/y) === null) return fail(at.offset, '")"');
  return { ok: { kind: "percentile", percent } };
}

/** The target as its canonical text. */
export function printTarget(target: SloTarget): string {
  return target.requestClass === null ? target.metric : `${target.metric}{class:${target.requestClass}}`;
}
