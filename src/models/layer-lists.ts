import type { Json } from "../core/json.ts";
import type { ConfigReader } from "./config-reader.ts";

/** One entry for each layer. */
export function fill<T>(layerCount: number, kind: (layerIndex: number) => T): readonly T[] {
  return Array.from({ length: layerCount }, (_, layerIndex) => kind(layerIndex));
}

/** An entry per layer, each 0 or 1, or false or true. */
export function bits(reader: ConfigReader, key: string, list: readonly Json[]): readonly boolean[] {
  const wrong = list.findIndex((bit) => bit !== 0 && bit !== 1 && typeof bit !== "boolean");
  if (wrong >= 0) reader.problem(`${key}[${wrong}]`, "0 or 1", list[wrong]);
  return list.map((bit) => bit === 1 || bit === true);
}
