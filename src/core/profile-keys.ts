import { z } from "zod";

/** One key of a profile file. */
export interface ProfileKey {
  /** Dotted path; `[]` stands for the items of a list, `*` for a name of yours. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly meaning: string;
}

/** The parts of a JSON Schema that profiles use. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
}

/** Every key that a profile file of a schema may hold, in order; numbers are one key with their source. */
export function profileKeys(schema: z.ZodType): ProfileKey[] {
  return keysOf(z.toJSONSchema(schema) as Schema, "");
}

function keysOf({ properties = {}, required = [] }: Schema, before: string): ProfileKey[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = before + name;
    const key = { path, type: typeOf(schema), required: required.includes(name), meaning: schema.description ?? "" };
    return [key, ...below(schema, path)];
  });
}

function below(schema: Schema, path: string): ProfileKey[] {
  if (isSourced(schema)) return [];
  if (schema.items !== undefined) return keysOf(schema.items, `${path}[].`);
  if (typeof schema.additionalProperties === "object") return keysOf(schema.additionalProperties, `${path}.*.`);
  return keysOf(schema, `${path}.`);
}

/** A value with its kind and source. */
const isSourced = ({ properties }: Schema): boolean => properties?.["value"] !== undefined && "source" in properties;

function typeOf(schema: Schema): string {
  if (isSourced(schema)) return `sourced ${typeOf(schema.properties?.["value"] ?? {})}`;
  if (schema.enum !== undefined) return schema.enum.join(", ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.items !== undefined)
    return schema.items.properties === undefined ? `list of ${typeOf(schema.items)}` : "list";
  return (
    { string: "text", integer: "whole number", boolean: "true or false" }[schema.type ?? ""] ?? schema.type ?? "any"
  );
}
