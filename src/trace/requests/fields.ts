import type { BlockName } from "./request-format.ts";

/** Says what is wrong with a field and stands for the value that could not be read. */
export type Reject = (at: string, expected: string, found: unknown) => null;

const tokensMax = 0xffff_ffff;

/** A number of tokens: an integer in [0, 2^32), as a JSON number or as CSV text (`12` or `12.0`). */
export function tokenCount(value: unknown, at: string, reject: Reject): number | null {
  const count = typeof value === "string" && /^\d{1,10}(\.0*)?$/.test(value) ? Number(value) : value;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0 || count > tokensMax)
    return reject(at, "a whole number of tokens, 0 or more", value);
  return count;
}

/** A time to wait: a number of 0 or more; what is absent is none. */
export function waitTime(value: unknown, at: string, reject: Reject): number | null {
  if (value === undefined || value === null || value === "") return 0;
  const wait = typeof value === "string" && /^\d+(\.\d*)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : value;
  if (typeof wait !== "number" || !(wait >= 0 && wait < 1e18)) return reject(at, "a time to wait, 0 or more", value);
  return wait;
}

/** Prefix blocks: a list of whole numbers or of hashes as text; in a CSV cell `[1, 2]` or `1 2`. */
export function blockNames(value: unknown, at: string, reject: Reject): readonly BlockName[] | null {
  const list = listOf(value);
  if (list === null) return reject(at, "a list of block ids", value);
  const names: BlockName[] = [];
  for (const [index, id] of list.entries()) {
    const name = blockName(id);
    if (name === null) return reject(`${at}[${index}]`, "a block id: a whole number, 0 or more, or a hash as text", id);
    names.push(name);
  }
  return names;
}

/**
 * The name of a block. Whole numbers beyond 2^53 come as text, as their last digits would be lost otherwise; they may
 * be negative, as signed 64-bit hashes are, while small negative numbers stand for no block.
 */
function blockName(id: unknown): BlockName | null {
  if (typeof id === "number") return Number.isSafeInteger(id) && id >= 0 ? id : null;
  if (typeof id !== "string" || id === "") return null;
  if (/^-?(0|[1-9]\d*)$/.test(id)) {
    const whole = Number(id);
    if (Number.isSafeInteger(whole)) return whole >= 0 ? whole : null;
    return id.length <= 40 ? BigInt(id) : id;
  }
  return id;
}

/** Names of requests: a list, or one alone. */
export function requestNames(value: unknown, at: string, reject: Reject): readonly string[] | null {
  if (value === undefined || value === null || value === "") return [];
  const list = Array.isArray(value) ? value : (listOf(value) ?? [value]);
  if (list.every((name) => typeof name === "string" || typeof name === "number")) return list.map(String);
  return reject(at, "a request id, or a list of them", value);
}

/** A list as JSON holds it, or as a cell writes it: in brackets, or parted by spaces, semicolons or bars. */
function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (typeof value !== "string") return null;
  const inside = /^\s*[[({](.*)[\])}]\s*$/s.exec(value)?.[1] ?? value;
  const entries = inside.split(/[\s,;|]+/).map((entry) => entry.replace(/^(["'])(.*)\1$/, "$2"));
  return entries.filter((entry) => entry !== "");
}
