import { alternatives, definitionOf, type JsonSchema, scenarioJsonSchema } from "./json-schema.ts";
import { yamlText } from "./settings.ts";

/** What may be entered for a key of a scenario. `text`: YAML, as no type says more of it. */
export type FieldKind = "choice" | "integer" | "number" | "flag" | "text";

/** A key of a scenario, as a form shows it. Everything follows from the schema and what the scenario states. */
export interface FormField {
  /** As `--set` takes it: `policy.offload.slots`. */
  readonly path: string;
  readonly kind: FieldKind;
  /** Of a choice. */
  readonly choices: readonly string[];
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly byDefault: string | null;
  readonly example: string | null;
  readonly description: string;
  /** As YAML; null where the scenario does not state it. */
  readonly stated: string | null;
  /**
   * Where it says which alternative a mapping is: by choice, the setting that makes it that one, with the stated keys that it has too.
   * Empty for other keys.
   */
  readonly kindSettings: readonly string[];
}

/** Sections that no run depends on. */
const leftOut = new Set(["version", "name", "description", "params", "plan", "sweep"]);

/** The keys that a scenario may state, where it states `stated`: those of the alternatives that it has chosen, in the order of the schema. */
export function formFields(stated: unknown): FormField[] {
  const root = scenarioJsonSchema();
  return Object.entries(root.properties ?? {}).flatMap(([key, schema]) =>
    leftOut.has(key) ? [] : fieldsOf(schema, at(stated, key), key, root),
  );
}

const at = (value: unknown, key: string): unknown =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;

function fieldsOf(schema: JsonSchema, value: unknown, path: string, root: JsonSchema): FormField[] {
  const all = alternatives(resolved(schema, root), root).map((one) => resolved(one, root));
  const description = schema.description ?? resolved(schema, root).description ?? "";
  const mappings = all.filter((one) => one.properties !== undefined);
  const kinds = mappings.filter((one) => one.properties?.["kind"]?.const !== undefined);
  // A list, or a text that stands for a mapping, is edited as it is.
  if (mappings.length === 0 || Array.isArray(value) || (value !== undefined && typeof value !== "object"))
    return [leaf(all, schema, value, path, description)];
  if (kinds.length > 1 || (kinds.length === 1 && mappings.length === 1)) {
    const names = kinds.map((one) => String(one.properties!["kind"]!.const));
    const chosen = kinds[names.indexOf(String(at(value, "kind")))];
    const kind: FormField = {
      ...bare(`${path}.kind`, description),
      kind: "choice",
      choices: names,
      stated: at(value, "kind") === undefined ? null : yamlText(at(value, "kind")),
      kindSettings: kinds.map((one, i) => `${path}=${JSON.stringify(kept(one, names[i]!, value))}`),
    };
    return [
      kind,
      ...(chosen === undefined ? [] : within(chosen, value, path, root).filter((one) => one.path !== `${path}.kind`)),
    ];
  }
  return within(mappings[0]!, value, path, root);
}

/** A mapping of another kind, with what of the stated one it may hold. */
const kept = (schema: JsonSchema, kind: string, value: unknown): Readonly<Record<string, unknown>> => ({
  kind,
  ...Object.fromEntries(
    Object.entries(value ?? {}).filter(([key]) => key !== "kind" && Object.hasOwn(schema.properties ?? {}, key)),
  ),
});

/** The keys of a mapping, and those that it states beside them where it may hold others of one kind. */
function within(schema: JsonSchema, value: unknown, path: string, root: JsonSchema): FormField[] {
  const { properties = {}, additionalProperties: other, description } = schema;
  const others =
    typeof other === "object" ? Object.keys(value ?? {}).filter((key) => !Object.hasOwn(properties, key)) : [];
  const ofOthers = { ...(description === undefined ? {} : { description }), ...(other as JsonSchema) };
  return [...Object.entries(properties), ...others.map((key) => [key, ofOthers] as const)].flatMap(([key, own]) =>
    fieldsOf(own, at(value, key), `${path}.${key}`, root),
  );
}

/** The schema that a reference names. */
function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = definitionOf(schema);
  return name === null
    ? schema
    : { ...root.definitions?.[name], ...(schema.description === undefined ? {} : { description: schema.description }) };
}

const bare = (path: string, description: string): FormField => ({
  path,
  kind: "text",
  choices: [],
  minimum: null,
  maximum: null,
  byDefault: null,
  example: null,
  description,
  stated: null,
  kindSettings: [],
});

function leaf(
  all: readonly JsonSchema[],
  schema: JsonSchema,
  value: unknown,
  path: string,
  description: string,
): FormField {
  const [only = {}] = all;
  const single = all.length === 1;
  const choices = single ? (only.enum ?? (only.const === undefined ? [] : [only.const])).map(String) : [];
  const type = single ? only.type : undefined;
  return {
    ...bare(path, description),
    kind:
      choices.length > 0
        ? "choice"
        : type === "integer" || type === "number"
          ? type
          : type === "boolean"
            ? "flag"
            : "text",
    choices,
    minimum: only.minimum ?? null,
    maximum: only.maximum ?? null,
    byDefault: schema.default === undefined ? null : yamlText(schema.default),
    example: only.examples?.[0] ?? schema.examples?.[0] ?? null,
    stated: value === undefined ? null : yamlText(value),
  };
}
