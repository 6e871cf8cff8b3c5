import { InvalidInputError } from "../core/errors.ts";
import { type Json, parseJson } from "../core/json.ts";
import { withCurrentKeys } from "./earlier-results.ts";
import { withoutPage } from "./embedded-results.ts";
import { type Forecast, forecastSchemaVersion } from "./forecast.ts";
import { isObject } from "./result-kinds.ts";
import { resultProblems } from "./result-problems.ts";

/** Fields that results of earlier releases lack: null there. */
const laterFields = ["bands", "sections", "baselineRun"] as const;

/**
 * Reads a `result.json` of one scenario. Throws InvalidInputError for anything that is not a forecast of this schema
 * version or the one before, naming the fields that are missing or of the wrong kind.
 */
export function readForecast(text: string, file: string): Forecast {
  return forecastOf(parseJson(withoutPage(text), file), file, "");
}

/** Reads a `result.json` of any number of scenarios, or a report that holds one: one forecast, or a list of them. */
export function readForecasts(
  text: string,
  file: string,
): { readonly forecasts: readonly Forecast[]; readonly isList: boolean } {
  const json = parseJson(withoutPage(text), file);
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
  const document = { ...withActions(json), ...later };
  const problems = resultProblems(document).map((problem) => ({ ...problem, file, at: `${place}${problem.at}` }));
  if (problems.length > 0) throw new InvalidInputError(problems);
  return document;
}

/** Earlier releases fetched every missing expert: what their caches, of the deployment and of its pools, did about others is null. */
function withActions(json: Json): Forecast {
  const told = (part: unknown): unknown => {
    const cache = at(part, "cache");
    if (!isObject(part) || !isObject(cache) || cache["actions"] !== undefined) return part;
    return { ...part, cache: { ...cache, actions: null } };
  };
  const pools = at(json, "pools");
  return {
    ...(told(json) as Forecast),
    ...(Array.isArray(pools) ? { pools: pools.map(told) as Forecast["pools"] & {} } : {}),
  };
}

function at(json: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), json);
}
