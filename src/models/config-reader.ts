import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { own } from "../core/own.ts";
import { closest } from "../core/suggest.ts";
import { aliases, harmlessKeys, shapePattern } from "./aliases.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import type { Provenance } from "./spec.ts";

/** What a resolution has collected so far; shared by the readers of nested objects. */
export interface Findings {
  readonly file: string;
  readonly problems: Problem[];
  readonly provenance: Record<string, Provenance>;
  /** What no key of the file says and the resolver took from the model class, in words. */
  readonly assumptions: string[];
}

/** A value to use when no key is present, and the rule that gives it. */
interface Fallback<T> {
  readonly value: T;
  readonly rule: string;
}

interface CountOptions {
  readonly min?: number;
  readonly max?: number;
  readonly fallback?: Fallback<number>;
}

/**
 * Reads one object of a config.json. Every read records the key it used under a path of the spec, or a problem; a failed
 * read gives a harmless stand-in so that the remaining problems are found too, until {@link ConfigReader.stop} throws.
 */
export class ConfigReader {
  readonly findings: Findings;
  private readonly object: JsonObject;
  private readonly prefix: string;
  private readonly read = new Set<string>();

  constructor(object: JsonObject, prefix: string, findings: Findings) {
    this.object = object;
    this.prefix = prefix;
    this.findings = findings;
  }

  /** Throws if anything was wrong so far. */
  stop(): void {
    if (this.findings.problems.length > 0) throw new InvalidInputError(this.findings.problems);
  }

  problem(key: string, expected: string, found?: Json, hint?: string): void {
    const at = this.prefix + key;
    if (this.findings.problems.some((other) => other.at === at && other.expected === expected)) return;
    this.findings.problems.push({
      file: this.findings.file,
      at,
      expected,
      ...(found === undefined ? {} : { found }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** Path of a key in the file. */
  pathOf(key: string): string {
    return this.prefix + key;
  }

  assume(text: string): void {
    if (!this.findings.assumptions.includes(text)) this.findings.assumptions.push(text);
  }

  record(path: string, key: string, value: Provenance["value"]): void {
    this.findings.provenance[path] = { key, value };
  }

  /** Value of a key, or undefined where it is absent or null. */
  raw(key: string): Json | undefined {
    this.read.add(key);
    return own(this.object, key) ?? undefined;
  }

  /** The first present key of a list of synonyms; a second one with another value is a contradiction. */
  first(keys: readonly string[]): { readonly key: string; readonly value: Json } | null {
    let found: { readonly key: string; readonly value: Json } | null = null;
    for (const key of keys) {
      const value = this.raw(key);
      if (value === undefined) continue;
      if (found === null) found = { key, value };
      else if (found.value !== value)
        this.problem(key, `the value of ${found.key}, ${JSON.stringify(found.value)}`, value);
    }
    return found;
  }

  /** A whole number, 1 to 2^31 unless stated. */
  count(path: string, keys: readonly string[], options: CountOptions = {}): number {
    const { min = 1, max = 2147483648, fallback } = options;
    const found = this.first(keys);
    if (found === null) {
      if (fallback === undefined) {
        this.problem(keys[0] ?? path, `a whole number${keys.length > 1 ? ` (or as ${keys.slice(1).join(", ")})` : ""}`);
        this.suggestFor(keys);
        return min;
      }
      this.record(path, fallback.rule, fallback.value);
      return fallback.value;
    }
    if (
      typeof found.value !== "number" ||
      !Number.isSafeInteger(found.value) ||
      found.value < min ||
      found.value > max
    ) {
      this.problem(found.key, `a whole number from ${min} to ${max}`, found.value);
      return min;
    }
    this.record(path, this.prefix + found.key, found.value);
    return found.value;
  }

  flag(path: string, keys: readonly string[], fallback: Fallback<boolean>): boolean {
    const found = this.first(keys);
    if (found !== null && typeof found.value !== "boolean") this.problem(found.key, "true or false", found.value);
    const value = found !== null && typeof found.value === "boolean" ? found.value : fallback.value;
    this.record(path, found === null ? fallback.rule : this.prefix + found.key, value);
    return value;
  }

  text(keys: readonly string[]): string | null {
    const found = this.first(keys);
    if (found === null) return null;
    if (typeof found.value === "string") return found.value;
    this.problem(found.key, "a string", found.value);
    return null;
  }

  /**
   * A list with one entry per layer, or null where the key is absent; an empty list counts as absent. With `more`, entries
   * of multi-token-prediction layers may follow.
   */
  perLayer(key: string, layerCount: number, more = false): readonly Json[] | null {
    const value = this.raw(key);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return null;
    if (!Array.isArray(value)) {
      this.problem(key, `a list with an entry for each of the ${layerCount} layers`, value);
      return null;
    }
    if (value.length < layerCount || (value.length > layerCount && !more)) {
      this.problem(key, `${layerCount} entries, one a layer`, value.length);
      return null;
    }
    return value.slice(0, layerCount) as readonly Json[];
  }

  nested(key: string): ConfigReader | null {
    const value = this.raw(key);
    if (value === undefined) return null;
    if (isObject(value)) return new ConfigReader(value, `${this.prefix}${key}.`, this.findings);
    this.problem(key, "an object", value);
    return null;
  }

  /** Readers of the objects in a list. */
  nestedItems(key: string): readonly ConfigReader[] {
    const value = this.raw(key);
    return Array.isArray(value)
      ? value.flatMap((item, index) =>
          isObject(item) ? [new ConfigReader(item, `${this.prefix}${key}[${index}].`, this.findings)] : [],
        )
      : [];
  }

  keys(): readonly string[] {
    return Object.keys(this.object);
  }

  /** Keys that no read has asked for. */
  rest(): readonly string[] {
    return this.keys()
      .filter((key) => !this.read.has(key))
      .map((key) => this.prefix + key);
  }

  /** Keys that hold something and that no read has asked for. */
  unasked(): readonly { readonly key: string; readonly value: Json }[] {
    return this.keys().flatMap((key) => {
      const value = own(this.object, key);
      return this.read.has(key) || value === undefined || isInert(value) ? [] : [{ key, value }];
    });
  }

  /** Refuses keys whose presence means an architecture that the model's resolver does not describe. */
  unsupported(keys: Readonly<Record<string, string>>): void {
    for (const [key, feature] of Object.entries(keys)) {
      const value = this.raw(key);
      if (value !== undefined && !isInert(value)) this.problem(key, `nothing: ${feature} is not supported`, value);
    }
  }

  /**
   * Keys that were present but not read. Those that look like a shape ({@link shapePattern}), are not known to be
   * harmless and hold something are problems, because ignoring them could resolve to the wrong model.
   */
  unread(modelType: string): readonly string[] {
    const ignored: string[] = [];
    for (const key of Object.keys(this.object)) {
      if (this.read.has(key)) continue;
      const value = this.object[key];
      if (shapePattern.test(key) && !harmlessKeys.has(key) && value !== undefined && !isInert(value)) {
        const near = closest(key, Object.values(aliases).flat());
        const hint = near === null || near === key ? undefined : `did you mean ${near}?`;
        this.problem(key, `a key known for model_type ${modelType}, since it may change a shape`, value, hint);
      } else ignored.push(this.prefix + key);
    }
    return ignored;
  }

  /** Adds a did-you-mean to the last problem, from the keys of this object. */
  private suggestFor(keys: readonly string[]): void {
    const present = Object.keys(this.object).filter((key) => !this.read.has(key));
    const near = keys.map((key) => closest(key, present)).find((name) => name !== null);
    const last = this.findings.problems.at(-1);
    if (near === undefined || last === undefined) return;
    this.findings.problems[this.findings.problems.length - 1] = { ...last, hint: `did you mean ${near}?` };
  }
}

/** Values that switch a feature off. */
export function isInert(value: Json): boolean {
  if (value === null || value === false || value === 0 || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
