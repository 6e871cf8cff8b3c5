import { z } from "zod";
import { scenarioSchema } from "./schema.ts";

/** The parts of a JSON Schema (draft 7) that the scenario's schema uses. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: string | number | boolean;
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The JSON Schema (draft 7, what YAML language servers read) of scenario files, as written by people. */
export function scenarioJsonSchema(): JsonSchema {
  const generated = z.toJSONSchema(scenarioSchema, { target: "draft-7", io: "input" });
  return { ...generated, title: "moecast scenario" } as JsonSchema;
}

/** Alternatives of a schema; the schema itself where it has none. */
export const alternatives = (schema: JsonSchema): readonly JsonSchema[] => schema.oneOf ?? schema.anyOf ?? [schema];

/** Keys that may stand in the mapping at a path; where alternatives differ, those of the one whose `kind` is given. */
export function knownKeys(schema: JsonSchema, value: unknown, path: readonly (string | number)[]): readonly string[] {
  let here: readonly JsonSchema[] = [schema];
  let at = value;
  for (const step of path) {
    here = chosen(here, at).flatMap((item) => {
      if (typeof step === "number") return item.items === undefined ? [] : [item.items];
      const next = item.properties?.[step] ?? item.additionalProperties;
      return typeof next === "object" ? [next] : [];
    });
    at = at !== null && typeof at === "object" ? (at as Record<string | number, unknown>)[step] : undefined;
  }
  return [...new Set(chosen(here, at).flatMap((item) => Object.keys(item.properties ?? {})))];
}

function chosen(schemas: readonly JsonSchema[], value: unknown): readonly JsonSchema[] {
  const all = schemas.flatMap((schema) => alternatives(schema).flatMap((item) => alternatives(item)));
  const kind = value !== null && typeof value === "object" ? (value as Record<string, unknown>)["kind"] : undefined;
  const matching = all.filter((item) => item.properties?.["kind"]?.const === kind && kind !== undefined);
  return matching.length > 0 ? matching : all;
}
