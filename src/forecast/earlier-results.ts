import type { Json } from "../core/json.ts";
import { isObject, type JsonObject } from "../models/json-object.ts";
import { forecastSchemaVersion } from "./forecast.ts";

/** The one earlier version of the document that is still read. */
const earlierSchemaVersion = 2;

/** Keys that have another name in the earlier version: where they lie (a list stands for its items), and both names. */
const renamedKeys: readonly { readonly at: readonly string[]; readonly from: string; readonly to: string }[] = [
  { at: [], from: "engineVersion", to: "moecastVersion" },
  { at: ["baselineRun"], from: "engineVersion", to: "moecastVersion" },
  { at: ["slos"], from: "observed", to: "value" },
  { at: ["slos"], from: "observedText", to: "valueText" },
];

/** A result of the earlier version under the keys of the current one; any other document as it is. */
export function withCurrentKeys(json: Json): Json {
  if (!isObject(json) || json["schemaVersion"] !== earlierSchemaVersion) return json;
  const renamed = renamedKeys.reduce<Json>((document, { at, from, to }) => renamedAt(document, at, from, to), json);
  return { ...(renamed as JsonObject), schemaVersion: forecastSchemaVersion };
}

function renamedAt(json: Json, at: readonly string[], from: string, to: string): Json {
  if (Array.isArray(json)) return json.map((item: Json) => renamedAt(item, at, from, to));
  if (!isObject(json)) return json;
  const [key, ...below] = at;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]): [string, Json] => {
      if (key === undefined) return [name === from ? to : name, value];
      return [name, name === key ? renamedAt(value, below, from, to) : value];
    }),
  );
}
