import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { own } from "../core/own.ts";
import { closest } from "../core/suggest.ts";
import { isInert } from "./inert.ts";
import { isObject, type JsonObject } from "./json-object.ts";
import { type KeyKind, keyKind } from "./key-kinds.ts";
import type { Provenance } from "./spec.ts";

/** What a resolution has collected so far; shared by the readers of nested objects. */
export interface Findings {
  readonly file: string;
  readonly problems: Problem[];
  readonly provenance: Record<string, Provenance>;
  /** What no key of the file says and the resolver took from the model class, in words. */
  readonly assumptions: string[];
  /** Problems are for the caller to show: nothing throws, and stand-ins are marked {@link notInFile}. */
  readonly draft?: boolean;
  /** The key of the file behind one of this reader, where a file was put into other words. */
  readonly keyOf?: (key: string) => string;
}

/** Key of a number that the file does not give. */
export const notInFile = "not in the file";

/** A value to use when no key is present, and the rule that gives it. */
interface Fallback<T> {
  readonly value: T;
  readonly rule: string;
}

/** A key that is present, and what it holds. */
interface Found {
  readonly key: string;
  readonly value: Json;
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
  private readonly defaults: JsonObject;
  private readonly read = new Set<string>();
  private readonly skipped = new Set<string>();
  private readonly inner = new Map<string, ConfigReader>();

  /** `defaults`: what the model's configuration class takes for keys that the file leaves out. */
  constructor(object: JsonObject, prefix: string, findings: Findings, defaults: JsonObject = {}) {
    this.object = object;
    this.prefix = prefix;
    this.findings = findings;
    this.defaults = defaults;
  }

  /** Throws if anything was wrong so far. */
  stop(): void {
    if (this.findings.problems.length > 0 && this.findings.draft !== true)
      throw new InvalidInputError(this.findings.problems);
  }

  problem(key: string, expected: string, found?: Json, hint?: string): void {
    const at = this.inFile(key);
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
    this.findings.provenance[path] = { key: this.findings.keyOf?.(key) ?? key, value };
  }

  /** The path of a key in the file. */
  private inFile(key: string): string {
    return this.findings.keyOf?.(this.prefix + key) ?? this.prefix + key;
  }

  /** Value of a key, or undefined where it is null, or absent and without a default of the model class. */
  raw(key: string): Json | undefined {
    this.read.add(key);
    const value = own(this.object, key);
    if (value !== undefined) return value ?? undefined;
    const usual = own(this.defaults, key);
    if (usual !== undefined)
      this.assume(`${this.prefix}${key} ${JSON.stringify(usual)}, the default of the model class`);
    return usual ?? undefined;
  }

  /** Whether the file itself holds something under a key. */
  has(key: string): boolean {
    return (own(this.object, key) ?? null) !== null;
  }

  /** Keys that have no meaning in this model: they are ignored, whatever they look like. */
  skip(keys: readonly string[]): void {
    for (const key of keys) this.skipped.add(key);
  }

  /**
   * The first present key of a list of synonyms; a second one with another value is a contradiction. Defaults of the model
   * class count where none is present.
   */
  first(keys: readonly string[]): Found | null {
    const present = keys.filter((key) => this.has(key));
    for (const key of keys) this.read.add(key);
    let found: Found | null = null;
    for (const key of present.length > 0 ? present : keys) {
      const value = this.raw(key);
      if (value === undefined) continue;
      if (found === null) found = { key, value };
      else if (JSON.stringify(found.value) !== JSON.stringify(value))
        this.problem(key, `the value of ${found.key}, ${JSON.stringify(found.value)}`, value);
    }
    return found;
  }

  /** A whole number, 1 to 2^31 unless stated. */
  count(path: string, keys: readonly string[], options: CountOptions = {}): number {
    const { min = 1, max = 2147483648, fallback } = options;
    const found = this.first(keys);
    // Some files write false for a count that a model does without.
    if (found === null || (found.value === false && fallback !== undefined)) {
      if (fallback === undefined) {
        this.problem(keys[0] ?? path, `a whole number${keys.length > 1 ? ` (or as ${keys.slice(1).join(", ")})` : ""}`);
        this.suggestFor(keys);
        this.record(path, notInFile, null);
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
      this.record(path, notInFile, null);
      return min;
    }
    this.record(path, this.prefix + found.key, found.value);
    return found.value;
  }

  /** The same where a file may hold several of the keys with different values: the first that is present counts. */
  countByRank(path: string, keys: readonly string[], options: CountOptions = {}): number {
    const [present] = keys.filter((key) => this.raw(key) !== undefined);
    return this.count(path, present === undefined ? keys : [present], options);
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
    if (!isObject(value)) {
      this.problem(key, "an object", value);
      return null;
    }
    const known = this.inner.get(key);
    if (known !== undefined) return known;
    const reader = new ConfigReader(value, `${this.prefix}${key}.`, this.findings);
    this.inner.set(key, reader);
    return reader;
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
    return this.named(this.keys().filter((key) => !this.read.has(key)));
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

  /** Keys that were not read, sorted out by {@link keyKind}; those that hold nothing or have no meaning here are harmless. */
  left(): Readonly<Record<KeyKind, readonly string[]>> {
    const sorted: Record<KeyKind, string[]> = { harmless: [], part: [], shape: [], unknown: [] };
    for (const key of Object.keys(this.object).sort()) {
      if (this.read.has(key)) continue;
      const value = this.object[key];
      const harmless = this.skipped.has(key) || value === undefined || isInert(value);
      sorted[harmless ? "harmless" : keyKind(key)].push(key);
    }
    return sorted;
  }

  /** What the file holds under a key; it counts as unread. */
  held(key: string): Json | undefined {
    return own(this.object, key);
  }

  /** The objects that were entered, by key. */
  entered(): readonly (readonly [key: string, reader: ConfigReader])[] {
    return [...this.inner];
  }

  /** Paths of keys in the file. */
  named(keys: readonly string[]): readonly string[] {
    return keys.map((key) => this.inFile(key));
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
