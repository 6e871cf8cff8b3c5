import { InvalidInputError, type Problem } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { type Forecast, forecastSchemaVersion, latencyMetrics } from "./forecast.ts";

/** Kinds of values in a result document, and how to tell them. */
const kinds = {
  text: (value: unknown) => typeof value === "string",
  number: (value: unknown) => typeof value === "number",
  flag: (value: unknown) => typeof value === "boolean",
  list: (value: unknown) => Array.isArray(value),
  object: (value: unknown) => isObject(value),
  "number or null": (value: unknown) => value === null || typeof value === "number",
  "object or null": (value: unknown) => value === null || isObject(value),
} as const;

/** Fields a reader of results relies on, by dotted path. */
const shape: Readonly<Record<string, keyof typeof kinds>> = {
  engineVersion: "text",
  "scenario.name": "text",
  "scenario.description": "text",
  "scenario.file": "text",
  seed: "number",
  inputs: "list",
  "deployment.model": "text",
  "deployment.device": "text",
  "deployment.devices": "number",
  "deployment.replicas": "number",
  "deployment.mapping": "object",
  "deployment.engine": "text",
  "deployment.formats": "object",
  interrupted: "flag",
  "requests.total": "number",
  "requests.completed": "number",
  "requests.rejected": "number",
  "requests.unfinished": "number",
  "saturation.verdict": "text",
  "saturation.reason": "text",
  "steadyState.reached": "flag",
  "steadyState.reason": "text",
  ...Object.fromEntries(
    latencyMetrics.flatMap((metric) => [
      [`latency.${metric}.n`, "number" as const],
      ...["mean", "meanHalfWidth", "p50", "p90", "p95", "p99", "p999", "max"].map(
        (part) => [`latency.${metric}.${part}`, "number or null" as const] as const,
      ),
    ]),
  ),
  latencyByClass: "object",
  "throughput.durationS": "number",
  "throughput.requestsPerSecond": "number",
  "throughput.outputTokensPerSecond": "number",
  "throughput.outputTokensPerSecondPerDevice": "number",
  "throughput.goodput": "number or null",
  cost: "object or null",
  energy: "object or null",
  experts: "object or null",
  cache: "object or null",
  "kv.peakShare": "number",
  "memory.tiers": "list",
  timeShare: "object",
  "bottleneck.component": "text",
  resources: "list",
  series: "object",
  slos: "list",
  passed: "flag",
  ledger: "list",
};

/**
 * Reads a `result.json`. Throws InvalidInputError for anything that is not a forecast of this schema version, naming
 * every field that is missing or of the wrong kind.
 */
export function readForecast(text: string, file: string): Forecast {
  const json: unknown = parseJson(text, file);
  const kind = at(json, "kind");
  if (kind !== "forecast")
    throw new InvalidInputError([
      { file, at: "kind", expected: '"forecast", as moecast run --export json writes it', found: kind },
    ]);
  const version = at(json, "schemaVersion");
  if (version !== forecastSchemaVersion)
    throw new InvalidInputError([
      {
        file,
        at: "schemaVersion",
        expected: String(forecastSchemaVersion),
        found: version,
        hint: "run the scenario again",
      },
    ]);
  const problems: Problem[] = [];
  for (const [path, expected] of Object.entries(shape)) {
    const found = at(json, path);
    if (!kinds[expected](found)) problems.push({ file, at: path, expected: `a ${expected}`, found });
  }
  const bands = at(json, "bands") ?? null;
  if (!kinds["object or null"](bands))
    problems.push({ file, at: "bands", expected: "an object or null", found: bands });
  if (problems.length > 0) throw new InvalidInputError(problems);
  // Results of earlier releases have no error bands.
  return { ...(json as Forecast), bands: bands as Forecast["bands"] };
}

function at(json: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), json);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
