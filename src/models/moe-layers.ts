import type { Json } from "../core/json.ts";
import type { ConfigReader } from "./config-reader.ts";
import { listedLayers } from "./layer-lists.ts";

/** Keys that mark each layer with experts by a bit. */
export const layoutKeys = ["moe_layer_layout", "is_moe_layer"];

/** Layers counted from 0, as a list or as text with commas between (Step-3). */
export function moeLayers(reader: ConfigReader, listed: Json, layerCount: number): ReadonlySet<number> {
  const entries: readonly Json[] = typeof listed === "string" ? listed.split(",") : Array.isArray(listed) ? listed : [];
  const layers = entries.map((entry) =>
    typeof entry === "string" && /^\s*\d+\s*$/.test(entry) ? Number(entry) : entry,
  );
  if (layers.length === 0) reader.problem("moe_layers_enum", `layers from 0 to ${layerCount - 1}`, listed);
  return listedLayers(reader, "moe_layers_enum", layers, layerCount);
}

/** Every so many layers from a first to a last one (ERNIE 4.5); -1 is the last of the model. */
export function moeRange(reader: ConfigReader, path: string, layerCount: number): (layer: number) => boolean {
  const last = { value: layerCount - 1, rule: "the last layer" };
  const first = reader.count(`${path}.first`, ["moe_layer_start_index"], { min: 0, max: layerCount });
  const open = reader.raw("moe_layer_end_index") === -1;
  const end = reader.count(`${path}.last`, open ? [] : ["moe_layer_end_index"], {
    max: layerCount - 1,
    fallback: last,
  });
  const every = reader.count(`${path}.every`, ["moe_layer_interval"], { fallback: { value: 1, rule: "every layer" } });
  return (layer) => layer >= first && layer <= end && (layer + 1) % every === 0;
}
