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

/** Layers that a list names, counted from `first`. Layers that the model has not are a problem: they were meant for another. */
export function listedLayers(
  reader: ConfigReader,
  key: string,
  listed: Json,
  layerCount: number,
  first = 0,
): ReadonlySet<number> {
  const last = first + layerCount - 1;
  const isLayer = (layer: Json): layer is number =>
    typeof layer === "number" && Number.isInteger(layer) && layer >= first && layer <= last;
  const entries: readonly Json[] = Array.isArray(listed) ? listed : [];
  const wrong = entries.findIndex((layer) => !isLayer(layer));
  if (!Array.isArray(listed)) reader.problem(key, `a list of layers from ${first} to ${last}`, listed);
  else if (wrong >= 0) reader.problem(`${key}[${wrong}]`, `a layer from ${first} to ${last}`, entries[wrong]);
  return new Set(entries.filter(isLayer));
}
