import { z } from "zod";
import { builtInPolicies, type PolicyTables } from "../policy/policy-tables.ts";
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
  readonly allOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly const?: string | number | boolean;
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly examples?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const made = new WeakMap<PolicyTables, JsonSchema>();

/** The JSON Schema (draft 7, what YAML language servers read) of scenario files, as written by people. Made once for each tables. */
export function scenarioJsonSchema(tables: PolicyTables = builtInPolicies): JsonSchema {
  const known = made.get(tables) ?? makeJsonSchema(tables);
  made.set(tables, known);
  return known;
}

function makeJsonSchema(tables: PolicyTables): JsonSchema {
  const generated = z.toJSONSchema(scenarioSchema(tables), { target: "draft-7", io: "input" });
  return { ...generated, title: "moecast scenario" } as JsonSchema;
}

/** Name of the definition a schema refers to, or null. */
export const definitionOf = (schema: JsonSchema): string | null =>
  (schema.allOf?.[0]?.$ref ?? schema.$ref)?.replace("#/definitions/", "") ?? null;

/** Alternatives of a schema, references followed; the schema itself where it has none. */
export function alternatives(schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] {
  const name = definitionOf(schema);
  const target = name === null ? schema : (root.definitions?.[name] ?? schema);
  return target.oneOf ?? target.anyOf ?? [target];
}

/** Keys that may stand in the mapping at a path; where alternatives differ, those of the one whose `kind` is given. */
export function knownKeys(root: JsonSchema, value: unknown, path: readonly (string | number)[]): readonly string[] {
  let here: readonly JsonSchema[] = [root];
  let at = value;
  for (const step of path) {
    here = chosen(here, at, root).flatMap((item) => {
      if (typeof step === "number") return item.items === undefined ? [] : [item.items];
      const next = item.properties?.[step] ?? item.additionalProperties;
      return typeof next === "object" ? [next] : [];
    });
    at = at !== null && typeof at === "object" ? (at as Record<string | number, unknown>)[step] : undefined;
  }
  return [...new Set(chosen(here, at, root).flatMap((item) => Object.keys(item.properties ?? {})))];
}

function chosen(schemas: readonly JsonSchema[], value: unknown, root: JsonSchema): readonly JsonSchema[] {
  const all = schemas.flatMap((schema) => alternatives(schema, root).flatMap((item) => alternatives(item, root)));
  const kind = value !== null && typeof value === "object" ? (value as Record<string, unknown>)["kind"] : undefined;
  const matching = all.filter((item) => item.properties?.["kind"]?.const === kind && kind !== undefined);
  return matching.length > 0 ? matching : all;
}
