import { refuse } from "./errors.ts";
import { escapeUnsafe } from "./printable.ts";

/** A JSON value that has passed {@link parseJson}: finite numbers, no prototype keys, bounded depth. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);
const depthMax = 100;

/**
 * Parses untrusted JSON. Refuses syntax errors, non-finite numbers (`1e999`), prototype keys and nesting deeper than
 * 100. Objects have no prototype.
 */
export function parseJson(text: string, file: string, line?: number): Json {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    refuse({ file, ...(line === undefined ? {} : { line }), expected: "valid JSON", hint: (error as Error).message });
  }
  return checkJson(raw, file, line);
}

/** The same checks on a value that some other parser produced. */
export function checkJson(raw: unknown, file: string, line?: number): Json {
  const where = { file, ...(line === undefined ? {} : { line }) };
  const check = (value: unknown, path: string, depth: number): Json => {
    if (depth > depthMax) refuse({ ...where, at: path, expected: `at most ${depthMax} levels of nesting` });
    if (typeof value === "number" && !Number.isFinite(value))
      refuse({ ...where, at: path, expected: "a finite number", found: value });
    if (Array.isArray(value)) return value.map((item, index) => check(item, `${path}[${index}]`, depth + 1));
    if (value !== null && typeof value === "object") {
      const out: Record<string, Json> = Object.create(null);
      for (const key of Object.keys(value)) {
        const at = path === "" ? key : `${path}.${key}`;
        if (forbiddenKeys.has(key)) refuse({ ...where, at, expected: "an ordinary key", found: key });
        out[key] = check((value as Record<string, unknown>)[key], at, depth + 1);
      }
      return out;
    }
    return value as Json;
  };
  return check(raw, "", 0);
}

/** Serialises with sorted keys, so that equal values give equal bytes. */
export function canonicalJson(value: unknown, indent = 0): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (item === null || typeof item !== "object" || Array.isArray(item)) return item;
      const entries = Object.entries(item as Record<string, unknown>);
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
    },
    indent,
  );
}

/** A value as a JSON file or as the output of `--json`: indented, ASCII where a terminal could be driven, one line feed. */
export const jsonDocument = (value: unknown): string => `${escapeUnsafe(JSON.stringify(value, null, 2))}\n`;
