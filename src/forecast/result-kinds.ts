import { percentileLevels } from "../metrics/latency-figures.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of an object; nothing of anything else. */
const field = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

const isText = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) => typeof value === "number";
const isListOf = (value: unknown, test: (item: unknown) => boolean) => Array.isArray(value) && value.every(test);
const isObjectOf = (value: unknown, test: (item: unknown) => boolean) =>
  isObject(value) && Object.values(value).every(test);
/** Intervals of percentiles by name. */
const isIntervals = (value: unknown) =>
  isObject(value) &&
  Object.entries(value).every(
    ([name, interval]) =>
      Object.hasOwn(percentileLevels, name) &&
      isNumber(field(interval, "lowMs")) &&
      (field(interval, "highMs") === null || isNumber(field(interval, "highMs"))),
  );

/** Figures of a latency. */
export const statistics = ["mean", "meanHalfWidth", "p50", "p90", "p95", "p99", "p999", "max"] as const;
const isStatistics = (value: unknown) =>
  isNumber(field(value, "n")) &&
  statistics.every((name) => field(value, name) === null || isNumber(field(value, name))) &&
  isIntervals(field(value, "intervals"));
const isLatency = (value: unknown) => latencyMetrics.every((metric) => isStatistics(field(value, metric)));

/** Kinds of values in a result document, and how to tell them. */
const kinds = {
  text: isText,
  number: isNumber,
  flag: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  "set of intervals": isIntervals,
  "list of numbers": (value) => isListOf(value, isNumber),
  "list of texts": (value) => isListOf(value, isText),
  "list of flags": (value) => isListOf(value, (item) => typeof item === "boolean"),
  "pair of numbers": (value) => isListOf(value, isNumber) && (value as unknown[]).length === 2,
  object: isObject,
  "object of latencies": (value) => isObjectOf(value, isLatency),
  "object of numbers": (value) => isObjectOf(value, isNumber),
  "object of texts": (value) => isObjectOf(value, isText),
  "text or null": (value) => value === null || isText(value),
  "number or null": (value) => value === null || isNumber(value),
  "list or null": (value) => value === null || Array.isArray(value),
  "list of numbers or null": (value) => value === null || isListOf(value, isNumber),
  "object or null": (value) => value === null || isObject(value),
  "text or absent": (value) => value === undefined || isText(value),
  "flag or absent": (value) => value === undefined || typeof value === "boolean",
  "number or absent": (value) => value === undefined || isNumber(value),
  "list or absent": (value) => value === undefined || Array.isArray(value),
  "object of numbers or absent": (value) => value === undefined || isObjectOf(value, isNumber),
  "object of texts or absent": (value) => value === undefined || isObjectOf(value, isText),
  "object of lists of numbers or nulls": (value) =>
    isObjectOf(value, (list) => isListOf(list, (item) => item === null || isNumber(item))),
  "object or absent": (value) => value === undefined || isObject(value),
} as const satisfies Record<string, (value: unknown) => boolean>;

/** A kind, or the words of which a text is one. */
export type Kind = keyof typeof kinds | readonly string[];

export const isOfKind = (kind: Kind, value: unknown): boolean =>
  typeof kind === "string" ? kinds[kind](value) : isText(value) && kind.includes(value as string);

/** A kind in words, as what was expected. */
export function kindWords(kind: Kind): string {
  if (typeof kind !== "string") return `one of ${kind.join(", ")}`;
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}
