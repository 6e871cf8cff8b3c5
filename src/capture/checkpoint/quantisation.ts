import { type Problem, refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { isObject } from "../../models/json-object.ts";
import type { BlockSize } from "./stored-tensor.ts";

/** Methods whose tensors may be of a kind that is read; each tensor's own dtype and scales decide. */
const methods = ["fp8", "fbgemm_fp8", "compressed-tensors", "modelopt", "mxfp4"];

/**
 * Sides of FP8 blocks in the `quantization_config` of a config.json, null where there are none. Refuses a method that
 * leaves no tensor under its published name, such as AWQ and GPTQ.
 */
export function readBlockSize(config: Json, file: string): BlockSize {
  const quantisation = isObject(config) ? config["quantization_config"] : undefined;
  if (!isObject(quantisation)) return null;
  const wrong = (key: string, expected: string, found: Json | undefined): Problem => ({
    file,
    at: `quantization_config.${key}`,
    expected,
    found,
  });
  const method = quantisation["quant_method"];
  if (typeof method !== "string" || !methods.includes(method))
    refuse(wrong("quant_method", `weights in plain formats or by ${methods.join(", ")}`, method));
  const size = quantisation["weight_block_size"] ?? null;
  if (size === null) return null;
  const isSide = (side: unknown) => Number.isSafeInteger(side) && (side as number) > 0;
  if (!Array.isArray(size) || size.length !== 2 || !size.every(isSide))
    refuse(wrong("weight_block_size", "[rows, columns]", size));
  return size as unknown as BlockSize;
}
