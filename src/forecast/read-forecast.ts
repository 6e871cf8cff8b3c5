import { InvalidInputError, type Problem } from "../core/errors.ts";
import { type Json, parseJson } from "../core/json.ts";
import { percentileLevels } from "../metrics/latency-figures.ts";
import { sectionMetrics, sectionParts } from "../metrics/run-sections.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { withCurrentKeys } from "./earlier-results.ts";
import { type Forecast, forecastSchemaVersion } from "./forecast.ts";

const isText = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) => typeof value === "number";
const isListOf = (value: unknown, test: (item: unknown) => boolean) => Array.isArray(value) && value.every(test);
/** Intervals of percentiles by name. */
const isIntervals = (value: unknown) =>
  isObject(value) &&
  Object.entries(value).every(
    ([name, interval]) =>
      Object.hasOwn(percentileLevels, name) &&
      isNumber(at(interval, "lowMs")) &&
      (at(interval, "highMs") === null || isNumber(at(interval, "highMs"))),
  );

const isFigure = (value: unknown) =>
  ["metric", "unit"].every((field) => isText(at(value, field))) &&
  ["before", "after"].every((field) => isNumber(at(value, field)));
const isAdvice = (value: unknown) =>
  isFigure(value) &&
  isText(at(value, "text")) &&
  isListOf(at(value, "set"), isText) &&
  isListOf(at(value, "costs"), isFigure);
const isInput = (value: unknown) => ["role", "name", "sha256"].every((field) => isText(at(value, field)));

const statistics = ["mean", "meanHalfWidth", "p50", "p90", "p95", "p99", "p999", "max"] as const;
const isStatistics = (value: unknown) =>
  isNumber(at(value, "n")) &&
  statistics.every((name) => at(value, name) === null || isNumber(at(value, name))) &&
  isIntervals(at(value, "intervals"));
const isLatency = (value: unknown) => latencyMetrics.every((metric) => isStatistics(at(value, metric)));

/** Kinds of values in a result document, and how to tell them. */
const kinds = {
  text: isText,
  number: isNumber,
  flag: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  "set of intervals": isIntervals,
  "list of advice": (value) => isListOf(value, isAdvice),
  "list of inputs": (value) => isListOf(value, isInput),
  "list of numbers": (value) => isListOf(value, isNumber),
  object: (value) => isObject(value),
  "object of latencies": (value) => isObject(value) && Object.values(value).every(isLatency),
  "object of numbers": (value) => isObject(value) && Object.values(value).every(isNumber),
  "text or null": (value) => value === null || isText(value),
  "number or null": (value) => value === null || isNumber(value),
  "list or null": (value) => value === null || Array.isArray(value),
  "list of numbers or null": (value) => value === null || isListOf(value, isNumber),
  "number or absent": (value) => value === undefined || isNumber(value),
  "object of numbers or absent": (value) =>
    value === undefined || (isObject(value) && Object.values(value).every(isNumber)),
  "object or absent": (value) => value === undefined || isObject(value),
  "object or null": (value) => value === null || isObject(value),
} as const satisfies Record<string, (value: unknown) => boolean>;

type Kind = keyof typeof kinds;
type Shape = Readonly<Record<string, Kind>>;

/** The same kind for several fields of an object. */
const fields = (object: string, kind: Kind, names: readonly string[]): Shape =>
  Object.fromEntries(names.map((name) => [`${object}.${name}`, kind]));

const latencyShape = (path: string): Shape => ({
  [path]: "object",
  ...fields(path, "object", latencyMetrics),
  ...Object.assign(
    {},
    ...latencyMetrics.map((metric) => ({
      [`${path}.${metric}.n`]: "number",
      ...fields(`${path}.${metric}`, "number or null", statistics),
      [`${path}.${metric}.intervals`]: "set of intervals",
    })),
  ),
});

/** Fields of a result document, by dotted path; what is below an object that is null, or missing, is not looked at. */
const shape: Shape = {
  moecastVersion: "text",
  ...fields("scenario", "text", ["name", "description", "file"]),
  seed: "number",
  inputs: "list of inputs",
  ...fields("deployment", "text", ["model", "device", "engine", "placement"]),
  ...fields("deployment", "number", ["devices", "replicas"]),
  "deployment.mapping": "object of numbers",
  "deployment.formats": "object",
  "deployment.offload": "text or null",
  interrupted: "flag",
  ...fields("requests", "number", ["total", "completed", "rejected", "unfinished", "warmup", "preemptions"]),
  ...fields("load", "text", ["verdict", "loop", "reason"]),
  ...fields("load", "number or null", [
    "offeredRequestsPerSecond",
    "sustainedRequestsPerSecond",
    "sustainedHalfWidth",
    "requestsNeeded",
  ]),
  ...latencyShape("latency"),
  latencyByClass: "object of latencies",
  bands: "object or null",
  "bands.nominal": "number",
  "bands.basis": "text",
  "bands.unvalidated": "text or null",
  ...fields("bands", "object", ["factors", "withPoint", "metrics"]),
  ...fields("bands", "object or null", ["nearest", "ends"]),
  ...fields("throughput", "number", [
    "durationS",
    "requestsPerSecond",
    "outputTokensPerSecond",
    "outputTokensPerSecondPerDevice",
    "totalTokensPerSecond",
    "meanBatchTokens",
  ]),
  "throughput.goodput": "number or null",
  cost: "object or null",
  ...fields("cost", "number", ["usdPerHour", "usdPerMillionOutputTokens", "usdPerMillionTokens"]),
  ...fields("cost", "object", ["price", "divided"]),
  "cost.price.usdPerDeviceHour": "number",
  "cost.price.source": "text",
  ...fields("cost.divided", "number", ["promptTimeShare", "usdPerMillionOutputTokens"]),
  "cost.divided.usdPerMillionInputTokens": "number or null",
  energy: "object or null",
  ...fields("energy", "number", ["joulesPerOutputToken", "averageW"]),
  experts: "object or null",
  ...fields("experts", "number", ["imbalance", "imbalanceMax", "expertSkew", "distinctExpertsPerStep"]),
  "experts.layers": "list",
  "experts.rankLoad": "list of numbers",
  cache: "object or null",
  ...fields("cache", "number", [
    "slots",
    "accesses",
    "hits",
    "misses",
    "diskReads",
    "fetchedBytes",
    "stallNs",
    "unionOverCapacity",
  ]),
  ...fields("cache", "text", ["policy", "scope"]),
  "cache.stallBy": "object of numbers or absent",
  ...fields("cache", "number or absent", ["writtenBackBytes", "pageCacheHits", "promotions"]),
  "cache.actions": "object or null",
  "cache.actions.policy": "text",
  "cache.actions.pairs": "number",
  "cache.actions.taken": "list",
  "cache.actions.lossyMass": "number or null",
  "cache.prefetch": "object or absent",
  "cache.prefetch.kind": "text",
  ...fields("cache.prefetch", "number", [
    "followed",
    "useful",
    "late",
    "evicted",
    "preempted",
    "unused",
    "refused",
    "bytes",
    "wastedBytes",
    "lateNs",
  ]),
  "cache.reference": "object or null",
  ...fields("cache.reference", "number", ["accesses", "policy", "belady", "bestStatic", "lru"]),
  modelCache: "object or absent",
  ...fields("modelCache", "number", [
    "models",
    "deviceBytes",
    "found",
    "missed",
    "loads",
    "evictions",
    "loadedBytes",
    "loadNs",
    "stallNs",
  ]),
  "modelCache.homes": "list",
  speculation: "object or null",
  ...fields("speculation", "number", ["verifications", "drafted", "accepted"]),
  "speculation.acceptanceLength": "number or null",
  ...fields("kv", "number", ["blocks", "peakShare", "preemptions"]),
  "kv.prefixHitRate": "number or null",
  "memory.tiers": "list",
  ...fields("memory", "number", ["kvBlocks", "kvBytesPerToken"]),
  timeShare: "object of numbers",
  "bottleneck.component": "text",
  "bottleneck.share": "number",
  "bottleneck.advice": "object or null",
  "bottleneck.advice.metric": "text",
  ...fields("bottleneck.advice", "number", ["requests", "tried"]),
  "bottleneck.advice.helps": "list of advice",
  resources: "list",
  "series.intervalS": "number",
  ...fields("series", "list of numbers", ["waiting", "running", "kvUse", "outputTokensPerSecond"]),
  slos: "list",
  passed: "flag",
  ledger: "list",
  laws: "object of numbers",
  sections: "object or null",
  ...fields("sections.latency", "object or null", sectionMetrics),
  ...Object.assign(
    {},
    ...sectionMetrics.map((metric) => fields(`sections.latency.${metric}`, "list of numbers", sectionParts)),
  ),
  ...fields("sections", "list of numbers or null", ["goodput", "requestsPerSecond", "outputTokensPerSecond"]),
  baseline: "list or null",
  baselineRun: "object or null",
};

/** Fields that results of earlier releases lack: null there. */
const laterFields = ["bands", "sections", "baselineRun"] as const;

/**
 * Reads a `result.json` of one scenario. Throws InvalidInputError for anything that is not a forecast of this schema
 * version or the one before, naming every field that is missing or of the wrong kind.
 */
export function readForecast(text: string, file: string): Forecast {
  return forecastOf(parseJson(text, file), file, "");
}

/** Reads a `result.json` of any number of scenarios: one forecast, or a list of them. */
export function readForecasts(
  text: string,
  file: string,
): { readonly forecasts: readonly Forecast[]; readonly isList: boolean } {
  const json = parseJson(text, file);
  if (!Array.isArray(json)) return { forecasts: [forecastOf(json, file, "")], isList: false };
  const items: readonly Json[] = json;
  return { forecasts: items.map((item, index) => forecastOf(item, file, `[${index}].`)), isList: true };
}

function forecastOf(written: Json, file: string, place: string): Forecast {
  const json = withCurrentKeys(written);
  const refuseField = (path: string, expected: string, hint?: string): never => {
    throw new InvalidInputError([
      { file, at: `${place}${path}`, expected, found: at(json, path), ...(hint === undefined ? {} : { hint }) },
    ]);
  };
  if (at(json, "kind") !== "forecast") refuseField("kind", '"forecast", as moecast run --export json writes it');
  if (at(json, "schemaVersion") !== forecastSchemaVersion)
    refuseField(
      "schemaVersion",
      String(forecastSchemaVersion),
      "another release wrote this result; run the scenario again with --export json",
    );
  const later = Object.fromEntries(laterFields.map((field) => [field, at(json, field) ?? null]));
  // Bands of earlier releases say less than those of this one.
  if (isObject(later["bands"]) && at(later["bands"], "factors") === undefined) later["bands"] = null;
  const document = { ...(json as unknown as Forecast), ...later };
  // Earlier releases fetched every missing expert.
  if (isObject(document.cache) && at(document.cache, "actions") === undefined)
    Object.assign(document, { cache: { ...document.cache, actions: null } });
  const problems = Object.entries(shape).flatMap(([path, expected]): Problem[] => {
    const found = at(document, path);
    if (kinds[expected](found) || belowNone(document, path)) return [];
    return [{ file, at: `${place}${path}`, expected: `${/^[aeiou]/.test(expected) ? "an" : "a"} ${expected}`, found }];
  });
  if (problems.length > 0) throw new InvalidInputError(problems);
  return document;
}

/** Whether a field belongs to an object that is null, or that is no object and refused itself. */
function belowNone(document: unknown, path: string): boolean {
  const keys = path.split(".");
  return keys.some((_, i) => {
    const above = keys.slice(0, i).join(".");
    return shape[above]?.startsWith("object") === true && !isObject(at(document, above));
  });
}

function at(json: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), json);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
