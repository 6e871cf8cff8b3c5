import type { Json } from "../core/json.ts";
import { own } from "../core/own.ts";
import type { ConfigReader } from "./config-reader.ts";
import { isObject } from "./json-object.ts";

/** Newer files give the rotary part of a head as a share of it. */
export function compressedRopeDim(reader: ConfigReader, headDim: number): number {
  const rope = reader.raw("rope_parameters");
  const main = isObject(rope) && isObject(rope["main"]) ? rope["main"]["partial_rotary_factor"] : undefined;
  const share = reader.raw("partial_rotary_factor") ?? main;
  const shared = typeof share === "number" && share > 0 && share < 1 ? Math.floor(headDim * share) : null;
  return reader.count("layers[].attention.ropeHeadDim", ["qk_rope_head_dim"], {
    max: 65536,
    ...(shared === null ? {} : { fallback: { value: shared, rule: "head_dim x partial_rotary_factor" } }),
  });
}

/** Keys of latent attention that files of DeepSeek-V4 repeat: what they hold must follow from the rest. */
export function checkRest(reader: ConfigReader, headDim: number, ropeHeadDim: number): void {
  const follow = { qk_nope_head_dim: headDim - ropeHeadDim, qk_head_dim: headDim, v_head_dim: headDim };
  for (const [key, value] of Object.entries({ ...follow, kv_lora_rank: headDim - ropeHeadDim })) {
    const found = reader.raw(key);
    if (found !== undefined && found !== value)
      reader.problem(key, `${value}, as head_dim and its rotary part say`, found);
  }
}

/** Names of compressed layers in `layer_types`, with the key of each under `compress_rates` and the usual ratio. */
const compressions: Readonly<Record<string, { readonly key: string; readonly usual: number }>> = {
  sliding_attention: { key: "sliding_attention", usual: 0 },
  compressed_sparse_attention: { key: "compress_rate_csa", usual: 4 },
  heavily_compressed_attention: { key: "compress_rate_hca", usual: 128 },
};

/** Tokens per cached entry of every layer, from a list of ratios or of names; where a file has both they must agree. */
export function compressionRatios(reader: ConfigReader, layerCount: number): readonly Json[] | null {
  const ratios = reader.perLayer("compress_ratios", layerCount, true);
  const names = reader.perLayer("layer_types", layerCount, true);
  if (ratios === null && names === null) {
    reader.problem("compress_ratios", `a ratio for each of the ${layerCount} layers`);
    return null;
  }
  const rates = reader.nested("compress_rates");
  const named = names?.map((name, layer): Json => {
    const kind = typeof name === "string" ? own(compressions, name) : undefined;
    if (typeof name === "string" && kind !== undefined) return rates?.raw(name) ?? reader.raw(kind.key) ?? kind.usual;
    reader.problem(`layer_types[${layer}]`, `one of ${Object.keys(compressions).join(", ")}`, name);
    return 0;
  });
  if (ratios !== null && named !== undefined) {
    const layer = named.findIndex((ratio, index) => ratio !== ratios[index]);
    if (layer >= 0)
      reader.problem(
        `layer_types[${layer}]`,
        `what compress_ratios says: ${JSON.stringify(ratios[layer])}`,
        named[layer],
      );
  }
  return ratios ?? named ?? null;
}
