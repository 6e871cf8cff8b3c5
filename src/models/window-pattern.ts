import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import { bits, fill } from "./layer-lists.ts";

/** Keys under which a file gives a pattern of windows that repeats: a number, letters, or a bit for each layer. */
export const patternKeys = [
  "sliding_window_pattern",
  "sliding_window_layout",
  "global_attn_every_n_layers",
  "global_attn_every_n",
] as const;

/** Windowed layers by a pattern that repeats, or null where there is none or no window. */
export function windowPattern(reader: ConfigReader, layerCount: number): readonly ("full" | "sliding")[] | null {
  const key = patternKeys.find((name) => reader.raw(name) !== undefined);
  if (key === undefined || reader.first(aliases.windowTokens) === null) return null;
  const path = "layers[].attention.kind";
  const value = reader.raw(key);
  if (Array.isArray(value)) {
    const windowed = bits(reader, key, reader.perLayer(key, layerCount) ?? []);
    reader.record(path, key, windowed.length);
    return fill(layerCount, (layer) => (windowed[layer] === true ? "sliding" : "full"));
  }
  if (typeof value === "string" && /^[LG]+$/.test(value)) {
    reader.record(path, key, value);
    return fill(layerCount, (layer) => (value[layer % value.length] === "L" ? "sliding" : "full"));
  }
  const every = reader.count(path, [key]);
  return fill(layerCount, (layer) => ((layer + 1) % every === 0 ? "full" : "sliding"));
}
