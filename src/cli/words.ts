import { type Command, InvalidArgumentError } from "commander";
import { UsageError } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { parseQuantity } from "../core/units.ts";

/** Help of the option by which folders of outputs are made. */
export const mkdirHelp = "make the folders of outputs that do not exist";

/** Where the URL of a Redis stands, so that its password is in no list of processes. */
export const redisVariable = "MOECAST_REDIS";
/** Help of the option in its place. */
export const redisHelp = `Redis or Valkey of the queue: redis://host:6379, or rediss:// with TLS (default: ${redisVariable})`;

/** Help of the option that adds policies of a user. */
export const pluginHelp =
  "policies of your own: a JavaScript module, whose code runs with all your rights (repeatable; docs/plugins.md)";

/** Gathers the values of an option that may be repeated. */
export const collect = (value: string, previous: readonly string[] = []): string[] => [...previous, value];

/** A parser of whole numbers from `min` to `max` for an option. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Expected a whole number ${range}.`);
    return value;
  };
}

/** Ascending whole numbers, one by one or as ranges: `1,3,5` or `3-60`. */
export function numberRanges(text: string): number[] {
  const numbers = text.split(",").flatMap((part) => {
    const [, first = "", last = first] = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(part) ?? [];
    return first === "" || Number(last) < Number(first)
      ? [Number.NaN]
      : Array.from({ length: Number(last) - Number(first) + 1 }, (_v, i) => Number(first) + i);
  });
  if (numbers.length === 0 || !numbers.every((n, i) => n > (numbers[i - 1] ?? -1)))
    throw new InvalidArgumentError("Expected ascending numbers such as 1,3,5 or 3-60.");
  return numbers;
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("Expected a number above 0.");
  return value;
}

/** A number of 0 or more. */
export function nonNegative(text: string): number {
  return text.trim() !== "" && Number(text) === 0 ? 0 : positiveNumber(text);
}

/** A number of bytes with its unit, such as 4GiB. */
export function byteQuantity(text: string): number {
  const bytes = /\d\s*$/.test(text) ? null : parseQuantity(text, "bytes");
  if (bytes === null || bytes === 0) throw new InvalidArgumentError("Expected a size such as 512MiB or 4GiB.");
  return bytes;
}

/** A duration with its unit, such as 24h, in ns. */
export function durationNs(text: string): number {
  const ns = /\d\s*$/.test(text) && text.trim() !== "0" ? null : parseQuantity(text, "duration");
  if (ns === null) throw new InvalidArgumentError("Expected a duration such as 90s or 24h.");
  return ns;
}

/** A percentage of 0 or more, with or without its sign. */
export function percentage(text: string): number {
  const digits = text.replace(/\s*%$/, "");
  const value = Number(digits);
  if (digits.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("Expected a percentage of at least 0.");
  return value;
}

/** One of the known words; names the nearest otherwise. */
export function oneOf<T extends string>(word: string, known: readonly T[], option: string): T {
  const found = known.find((name) => name === word);
  if (found !== undefined) return found;
  const near = closest(word, known);
  throw new UsageError(
    `${option}: unknown "${word}"${near === null ? "" : `, did you mean "${near}"?`} (one of ${known.join(", ")})`,
  );
}

/** Splits `name=value` at the first equals sign; neither side may be empty. */
export function splitPair(text: string, shape: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0 || at === text.length - 1) throw new UsageError(`expected ${shape}, found "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Whether `--no-color` is absent, before or after the command. */
export const wantsColour = (command: Command): boolean => command.optsWithGlobals()["color"] !== false;
