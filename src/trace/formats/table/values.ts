import type { Json } from "../../../core/json.ts";
import { phases } from "../../container/trace-tensors.ts";

/** What a cell of ids or weights holds, entry by entry; null for an entry without a value. */
export interface ListCell {
  readonly entries: readonly (string | number | null)[];
  /** Weights that stand with their ids, as in `{"3": 0.5}` or `3:0.5`. */
  readonly paired: readonly (string | number | null)[] | null;
  /** A single value that is not in a list. */
  readonly single: boolean;
}

const nothing = new Set(["", "nan", "none", "null", "na", "n/a", "<na>"]);
const isNothing = (text: string) => nothing.has(text.toLowerCase());

/**
 * Reads a list of values: a JSON list, or text with brackets or without whose entries are separated by spaces, commas, `|` or
 * `;`. An object, or entries such as `3:0.5`, hold weights too. Null for anything else, such as a list of lists.
 */
export function listCell(value: Json | undefined): ListCell | null {
  if (value === undefined || value === null) return { entries: [], paired: null, single: false };
  if (typeof value === "number") return { entries: [value], paired: null, single: true };
  if (typeof value === "string") return listText(value);
  if (typeof value === "boolean") return null;
  if (Array.isArray(value)) {
    const entries = (value as readonly Json[]).map(scalar);
    return entries.includes(undefined)
      ? null
      : { entries: entries as (string | number | null)[], paired: null, single: false };
  }
  const weights = Object.values(value as { readonly [key: string]: Json }).map(scalar);
  return weights.includes(undefined)
    ? null
    : { entries: Object.keys(value), paired: weights as (string | number | null)[], single: false };
}

const scalar = (value: Json): string | number | null | undefined =>
  typeof value === "string"
    ? isNothing(value.trim())
      ? null
      : value.trim()
    : value === null || typeof value === "number"
      ? value
      : undefined;

/** `[1, 2]`, `(1, 2)`, `{1: 0.5}`, and how PyTorch and NumPy print a list; whatever else is in the brackets is no list. */
const bracketed = /^(?:tensor|array)?\(?\s*[[({]([^[\](){}]*)[\])}]\s*(?:,\s*(?:dtype|device)=[^()[\]{}]*)?\)?$/;

const startsNumber = (text: string) => text.charCodeAt(0) >= 0x30 && text.charCodeAt(0) <= 0x39;

function listText(text: string): ListCell | null {
  const trimmed = text.trim();
  if (isNothing(trimmed)) return { entries: [], paired: null, single: false };
  const inside = bracketed.exec(trimmed)?.[1];
  // Python prints a tuple of one as (1,).
  const body = (inside?.replace(/,\s*$/, "") ?? trimmed).trim();
  // A list of lists, or one that was cut off.
  if (/[[\](){}]/.test(body)) return null;
  if (body === "") return { entries: [], paired: null, single: false };
  // Bare values, as nearly all lists hold, need no closer look.
  if (!/[:"']/.test(body)) {
    const entries = body.split(/\s*[,;|]\s*|\s+/).map((part) => (startsNumber(part) || !isNothing(part) ? part : null));
    return { entries, paired: null, single: inside === undefined && entries.length === 1 };
  }
  const parts = body
    .replace(/\s*:\s*/g, ":")
    .split(/\s*[,;|]\s*|\s+/)
    .map((part) => part.replace(/^(["'])(.*)\1$/, "$2"));
  const entries: (string | null)[] = [];
  const paired: (string | null)[] = [];
  for (const part of parts) {
    const [id = "", weight, ...more] = part.split(":").map((side) => side.replace(/^(["'])(.*)\1$/, "$2"));
    if (more.length > 0 || (weight === undefined) !== (parts[0]?.includes(":") === false)) return null;
    entries.push(isNothing(id) ? null : id);
    if (weight !== undefined) paired.push(isNothing(weight) ? null : weight);
  }
  return {
    entries,
    paired: paired.length > 0 ? paired : null,
    single: inside === undefined && parts.length === 1 && paired.length === 0,
  };
}

/** A whole number from 0, also as a table of floats has it (`3.0`); null for anything else. */
export function wholeNumber(value: string | number): number | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : null;
  return /^\d{1,15}(\.0*)?$/.test(value) ? Number(value) : null;
}

/** A finite decimal number; null for anything else. */
export function decimalNumber(value: string | number): number | null {
  if (typeof value === "string" && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(value)) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A name that ends in a number, such as `expert_17`: what stands before the number, and the number. */
export function numberedName(value: string | number): { readonly prefix: string; readonly number: number } | null {
  const whole = wholeNumber(value);
  if (whole !== null) return { prefix: "", number: whole };
  const [, prefix, digits] = (typeof value === "string" && /^([a-z].*?)(\d{1,9})$/i.exec(value)) || [];
  return prefix === undefined ? null : { prefix, number: Number(digits) };
}

/** The layer that a number or a module name such as `model.layers.3.mlp.gate` gives; null if none or several numbers do. */
export function layerNumber(value: string | number): number | null {
  const whole = wholeNumber(value);
  if (whole !== null || typeof value === "number") return whole;
  if (!/[a-z]/i.test(value)) return null;
  const named = [...value.matchAll(/(?:^|[._\s-])(?:layers?|blocks?|blk|h)[._\s-]?(\d{1,9})(?!\d)/gi)];
  if (named.length > 0) return named.length === 1 ? Number(named[0]?.[1]) : null;
  const numbers = value.match(/\d+/g) ?? [];
  return numbers.length === 1 && /^[a-z]+[._\s-]?\d{1,9}$/i.test(value) ? Number(numbers[0]) : null;
}

const phaseWords: Readonly<Record<keyof typeof phases, readonly string[]>> = {
  prefill: ["prefill", "prefilling", "prompt", "context", "extend", "encode", "p"],
  decode: ["decode", "decoding", "generation", "generate", "gen", "generated", "output", "d"],
  unknown: ["unknown", "mixed", ""],
};
export const phaseHelp = "prefill or decode";

/** The code of a phase word; true and false where the name of the column says of what. */
export function phaseCode(value: Json, column: string): number | null {
  if (value === null) return phases.unknown;
  const word = (typeof value === "string" ? value : String(value as number | boolean)).trim().toLowerCase();
  for (const [phase, words] of Object.entries(phaseWords))
    if (words.includes(word)) return phases[phase as keyof typeof phases];
  const about = /prefill|prompt/i.test(column) ? "prefill" : /decod|generat/i.test(column) ? "decode" : null;
  if (about === null || !["true", "false", "1", "0"].includes(word)) return null;
  const isSo = word === "true" || word === "1";
  return isSo === (about === "prefill") ? phases.prefill : phases.decode;
}
