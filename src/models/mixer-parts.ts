import type { ConfigReader } from "./config-reader.ts";

/** Where a mixer of linear attention stands in a spec, for what its numbers came from. */
export const mixerPath = "layers[linear].attention";
export const widthMax = { max: 1048576 };
export const kernelMax = { max: 1024 };

/** Refuses switches that the mixer cannot express. */
export function demandOff(reader: ConfigReader, ...keys: readonly string[]): void {
  for (const key of keys) {
    const value = reader.raw(key);
    if (value !== undefined && value !== false) reader.problem(key, "false", value);
  }
}

/** Format of the recurrent state; the small convolution state is counted in it too. */
export function stateFormat(reader: ConfigReader, key: string): { readonly stateFormat: "fp32" | "bf16" } {
  const name = reader.text([key]);
  const format = name === "bfloat16" ? "bf16" : "fp32";
  reader.record(`${mixerPath}.stateFormat`, name === null ? "model class" : key, format);
  return { stateFormat: format };
}
