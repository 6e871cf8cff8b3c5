import { refuse } from "./errors.ts";
import { checkJsonMemory } from "./json-memory.ts";
import { escapeUnsafe } from "./printable.ts";

/** A JSON value that has passed {@link parseJson}: finite numbers, no prototype keys, bounded depth. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);
const depthMax = 100;

/**
 * Parses untrusted JSON. Refuses syntax errors, non-finite numbers (`1e999`), prototype keys, nesting deeper than
 * 100, and what may take more memory than `memoryMax`. Objects have no prototype.
 */
export function parseJson(text: string, file: string, line?: number, memoryMax?: number): Json {
  checkJsonMemory(text, file, line, memoryMax);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    refuse({ file, ...(line === undefined ? {} : { line }), expected: "valid JSON", hint: (error as Error).message });
  }
  return checkJson(raw, file, line);
}

/** The same checks on a value that some other parser produced, whose objects lose their prototypes. */
export function checkJson(raw: unknown, file: string, line?: number): Json {
  const where = { file, ...(line === undefined ? {} : { line }) };
  // Keys and indices on the way to a value; they become text only for a problem.
  const path: (string | number)[] = [];
  const wrong = (expected: string, found?: unknown): never =>
    refuse({ ...where, at: pathText(path), expected, ...(found === undefined ? {} : { found }) });
  const check = (value: unknown): void => {
    if (path.length > depthMax) wrong(`at most ${depthMax} levels of nesting`);
    if (typeof value === "number" && !Number.isFinite(value)) wrong("a finite number", value);
    if (value === null || typeof value !== "object") return;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        path.push(index);
        check(value[index]);
        path.pop();
      }
      return;
    }
    for (const key of Object.keys(value)) {
      path.push(key);
      if (forbiddenKeys.has(key)) wrong("an ordinary key", key);
      check((value as Record<string, unknown>)[key]);
      path.pop();
    }
    // In place: a copy of a large document takes its memory twice.
    Object.setPrototypeOf(value, null);
  };
  check(raw);
  return raw as Json;
}

const pathText = (path: readonly (string | number)[]): string =>
  path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");

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
