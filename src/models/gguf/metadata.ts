import type { Problem } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { isInert } from "../inert.ts";

type Value = number | string | boolean | readonly number[];

/** Keys of an architecture that change a shape or the path of a token where they are set. */
const shapeKey = /sliding_window|expert|ssm|lora|chunk|compress|shared_kv|altup|hyper|indexer/;
/** Keys like those that do not: scales, norms and functions of routers, which cost nothing. */
const harmlessKey = /expert_weights_scale|expert_weights_norm|expert_gating_func|expert_group_scale|\.scale|_scale$/;

/** Metadata of a GGUF file by the keys of its architecture. What is read is noted with the config key it stands for. */
export class Metadata {
  readonly architecture: string;
  readonly problems: Problem[] = [];
  /** Keys of config.json, with the metadata key that each came from. */
  readonly sources = new Map<string, string>();
  private readonly file: string;
  private readonly values: ReadonlyMap<string, Value>;
  private readonly read = new Set<string>();

  constructor(file: string, values: ReadonlyMap<string, Value>) {
    this.file = file;
    this.values = values;
    const architecture = values.get("general.architecture");
    this.architecture = typeof architecture === "string" ? architecture : "";
  }

  problem(at: string, expected: string, found?: Json): void {
    this.problems.push({ file: this.file, at, expected, ...(found === undefined ? {} : { found }) });
  }

  /** A whole number; a list of equal ones, by layer, is one. null where it is absent. */
  optional(key: string): number | null {
    const path = `${this.architecture}.${key}`;
    this.read.add(path);
    const value = this.values.get(path);
    if (value === undefined) return null;
    const one = typeof value === "object" ? value[0] : value;
    const same = typeof value !== "object" || value.every((item) => item === one);
    if (typeof one === "number" && Number.isSafeInteger(one) && one >= 0 && same) return one;
    this.problem(path, "a whole number, the same in all layers", typeof value === "object" ? value.slice(0, 8) : value);
    return null;
  }

  count(key: string): number {
    const value = this.optional(key);
    if (value === null) this.problem(`${this.architecture}.${key}`, "a whole number");
    return value ?? 1;
  }

  /** Entries of a config.json under their keys; those that are null are left out. */
  config(entries: Readonly<Record<string, readonly [value: Json, key: string]>>): { [key: string]: Json } {
    const config: { [key: string]: Json } = {};
    for (const [name, [value, key]] of Object.entries(entries)) {
      if (value === null) continue;
      config[name] = value;
      this.sources.set(name, key.includes(".weight") ? key : `${this.architecture}.${key}`);
    }
    return config;
  }

  /** Notes a problem for every key that may change a shape and was not read, and lists the other ones. */
  unread(): readonly string[] {
    const ignored: string[] = [];
    for (const [key, value] of this.values) {
      if (this.read.has(key) || key.startsWith("tokenizer.") || key.startsWith("general.")) continue;
      const inert = isInert(typeof value === "object" ? [...value].filter((item) => item !== 0) : value);
      if (shapeKey.test(key) && !harmlessKey.test(key) && !inert)
        this.problem(
          key,
          `a key known for ${this.architecture}, since it may change a shape`,
          typeof value === "object" ? value.length : value,
        );
      else ignored.push(key);
    }
    return ignored.sort();
  }
}
