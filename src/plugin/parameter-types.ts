import { z } from "zod";
import type { Problem } from "../core/errors.ts";
import type { Parameters } from "../core/parameters.ts";
import { quantity } from "../core/quantity.ts";
import type { ParameterDefinition } from "./plugin.ts";

const described = { description: z.string().min(1).max(2000) };
const bounds = { min: z.number().optional(), max: z.number().optional() };
const number = (type: "integer" | "number", value: z.ZodNumber | z.ZodInt) =>
  z.strictObject({ type: z.literal(type), ...described, ...bounds, default: value.optional() });
const amount = (type: "bytes" | "duration") =>
  z.strictObject({ type: z.literal(type), ...described, default: z.number().min(0).optional() });

/** What a definition of a parameter has to be. */
export const parameterDefinition = z.discriminatedUnion("type", [
  number("integer", z.int()),
  number("number", z.number()),
  z.strictObject({ type: z.literal("boolean"), ...described, default: z.boolean().optional() }),
  z.strictObject({
    type: z.literal("choice"),
    ...described,
    of: z
      .array(z.string().regex(/^[\w.-]{1,100}$/))
      .min(1)
      .max(1000),
    default: z.string().optional(),
  }),
  amount("bytes"),
  amount("duration"),
]);

/** What is wrong with a definition that has the right form: a default or bounds that the parameter itself would refuse. */
export function definitionProblem(definition: ParameterDefinition): Omit<Problem, "at"> | null {
  if (
    "min" in definition &&
    "max" in definition &&
    (definition.min ?? 0) > (definition.max ?? Number.POSITIVE_INFINITY)
  )
    return { expected: `max of at least min, ${definition.min}`, found: definition.max };
  if (definition.default === undefined || definition.type === "bytes" || definition.type === "duration") return null;
  return checkOf(definition).safeParse(definition.default).success
    ? null
    : { expected: "a default that the parameter itself allows", found: definition.default };
}

/** A definition as the schema of scenarios checks it. */
function checkOf(definition: ParameterDefinition): z.ZodType {
  const { description } = definition;
  const withDefault = (check: z.ZodType): z.ZodType =>
    (definition.default === undefined ? check : check.default(definition.default as never)).describe(description);
  switch (definition.type) {
    case "integer":
    case "number": {
      const { min = -Number.MAX_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = definition;
      return withDefault((definition.type === "integer" ? z.int() : z.number()).min(min).max(max));
    }
    case "boolean":
      return withDefault(z.boolean());
    case "choice":
      return withDefault(z.enum(definition.of as [string, ...string[]]));
    case "bytes":
    case "duration":
      return withDefault(quantity(definition.type, "zero"));
  }
}

/** Definitions as the schema of scenarios takes them. */
export const checksOf = (definitions: Readonly<Record<string, ParameterDefinition>>): Parameters =>
  Object.fromEntries(Object.entries(definitions).map(([name, definition]) => [name, checkOf(definition)]));
