import { refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";

/** Checks of JSON values, each with the file and the path of the value for its message. */
export interface JsonPlace {
  readonly file: string;
  readonly at: string;
}

/** An object that has no other keys than these. */
export function objectOf(
  value: Json | undefined,
  known: readonly string[],
  { file, at }: JsonPlace,
): Readonly<Record<string, Json>> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return refuse({ file, at, expected: "an object", found: value });
  const object = value as Readonly<Record<string, Json>>;
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined)
    refuse({
      file,
      at: at === "" ? unknown : `${at}.${unknown}`,
      expected: `one of ${known.join(", ")}`,
      found: unknown,
    });
  return object;
}

export function listOf(value: Json | undefined, { file, at }: JsonPlace): readonly Json[] {
  return Array.isArray(value) ? value : refuse({ file, at, expected: "a list", found: value });
}

export function wholeOf(value: Json | undefined, { file, at }: JsonPlace, min = 0): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min) return value;
  return refuse({ file, at, expected: `a whole number of at least ${min}`, found: value });
}
