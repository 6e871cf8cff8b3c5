import type { ConfigReader } from "../config-reader.ts";
import { integerLayout, type Layout } from "./layout.ts";
import { products, type Scheme } from "./tool.ts";

const written = /^w(\d+)a(\d+)(?:_dynamic|_per_channel|s|sc)?$/i;

/** ModelSlim's `quantize` of Ascend checkpoints, such as `w8a8_dynamic`: integers of both widths, a scale a channel. */
export function readAscend(config: ConfigReader): Scheme {
  const name = config.text(["quantize"]) ?? "";
  const found = written.exec(name);
  const weights = Number(found?.[1]);
  const inputs = Number(found?.[2]);
  const layout: Layout | null =
    inputs === 8 || inputs === 16
      ? integerLayout({ bits: weights, group: null, activations: inputs === 8 ? "int8" : "a16", bitsPerGroup: 0 })
      : null;
  const plain = weights === 16 && inputs === 16;
  if (layout === null && !plain) config.problem("quantize", "w8a8, w8a8_dynamic, w4a8_dynamic, w8a16 or w4a16", name);
  if (layout !== null)
    config.assume(
      `quantize = ${name} holds for attention, dense networks and experts alike, with a scale a channel; quant_model_description.json, which lists modules, is not read`,
    );
  return { layout, classes: products, kv: null };
}
