import type { ConfigReader } from "../../models/config-reader.ts";

interface NumberOptions {
  readonly min?: number;
  /** Value of the model class where the key is absent; without it the key is required. */
  readonly fallback?: number;
}

/** A number, greater than 0 unless `min` says otherwise; 1 stands in for one that is refused. */
export function readNumber(reader: ConfigReader, keys: readonly string[], options: NumberOptions = {}): number {
  const { min, fallback } = options;
  const found = reader.first(keys);
  if (found === null && fallback !== undefined) return fallback;
  const value = found?.value;
  if (typeof value === "number" && (min === undefined ? value > 0 : value >= min)) return value;
  const range = min === undefined ? "a number greater than 0" : `a number from ${min} on`;
  reader.problem(found?.key ?? keys[0] ?? "", range, value);
  return 1;
}

/** A switch with the value of the model class where the key is absent. */
export function readFlag(reader: ConfigReader, key: string, byClass: boolean): boolean {
  return reader.flag(key, [key], { value: byClass, rule: "model class" });
}

/** Refuses any value of a key but the one that is executed; `byClass` is what its absence means. */
export function onlyValue(reader: ConfigReader, key: string, executed: string | number | boolean, byClass = executed) {
  const value = reader.raw(key) ?? byClass;
  if (value !== executed) reader.problem(key, JSON.stringify(executed), value);
}
