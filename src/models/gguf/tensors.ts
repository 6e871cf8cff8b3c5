import type { StorageFormat } from "../../core/dtype.ts";
import type { Problem } from "../../core/errors.ts";
import type { TensorClass } from "../spec.ts";
import { tensorTypes } from "./tensor-types.ts";

/** A tensor as a GGUF header lists it. */
export interface ListedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
}

/** Names of matrices by class, which may have one row; the first match counts. Other vectors count with the norms. */
const names: readonly (readonly [Exclude<TensorClass, "norm">, RegExp])[] = [
  ["embedding", /^token_embd\.weight$/],
  ["head", /^output\.weight$/],
  ["attention", /^blk\.\d+\.attn_(?:q|k|v|qkv|output|q_a|q_b|kv_a_mqa|kv_b|k_b|v_b)\.weight$/],
  ["router", /^blk\.\d+\.ffn_gate_inp\.weight$/],
  ["shared", /^blk\.\d+\.ffn_(?:gate|up|down|gate_inp)_shexp\.weight$/],
  ["experts", /^blk\.\d+\.ffn_(?:gate|up|down|gate_up)(?:_exps|\.\d+)\.weight$/],
  ["dense", /^blk\.\d+\.ffn_(?:gate|up|down)\.weight$/],
];
/** Tables of rotary frequencies: no weights of the model. */
const beside = /^rope_|\.rope_/;

export type StoredClass = {
  values: number;
  bytes: number;
  readonly byFormat: Map<StorageFormat, number>;
};

/** Values and bytes by class; of the layers from `layers` on, which predict further tokens, none. */
export function storedClasses(
  tensors: readonly ListedTensor[],
  layers: number,
  file: string,
): { readonly classes: ReadonlyMap<TensorClass, StoredClass>; readonly problems: readonly Problem[] } {
  const classes = new Map<TensorClass, StoredClass>();
  const problems: Problem[] = [];
  for (const { name, shape, type } of tensors) {
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    if (beside.test(name) || (layer !== undefined && Number(layer) >= layers)) continue;
    const kind = tensorTypes[type];
    const values = shape.reduce((product, size) => product * size, 1);
    if (kind === undefined || !Number.isSafeInteger(values) || values === 0 || (shape[0] ?? 0) % kind.values !== 0) {
      problems.push({
        file,
        at: name,
        expected: "a tensor of a known type in whole blocks",
        found: `type ${type} of ${shape.join(" x ")}`,
      });
      continue;
    }
    const vector = shape.filter((size) => size > 1).length < 2;
    const found = names.find(([, pattern]) => pattern.test(name))?.[0];
    const biases = name.endsWith(".bias");
    if (found === undefined && !vector && !biases) {
      problems.push({
        file,
        at: name,
        expected: "a tensor that moecast knows, since it may change a shape",
        found: shape.join(" x "),
      });
      continue;
    }
    const tensorClass = found ?? "norm";
    const entry = classes.get(tensorClass) ?? { values: 0, bytes: 0, byFormat: new Map<StorageFormat, number>() };
    classes.set(tensorClass, entry);
    const bytes = (values / kind.values) * kind.bytes;
    entry.values += values;
    entry.bytes += bytes;
    entry.byFormat.set(kind.format, (entry.byFormat.get(kind.format) ?? 0) + bytes);
  }
  return { classes, problems };
}
