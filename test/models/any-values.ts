import fc from "fast-check";
import { expect } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import type { Json } from "../../src/core/json.ts";
import { aliases } from "../../src/models/aliases.ts";
import { families } from "../../src/models/families.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { type Config, deepseek, mixtral, qwen3, resolve } from "./configs.ts";
import { configOf } from "./family-configs.ts";

/** Any value under any key of any family gives a spec of a safe size or an InvalidInputError, never another error. */
export function resolveAnyValues(numRuns: number): void {
  const keys = [
    ...new Set([...Object.keys({ ...mixtral, ...qwen3, ...deepseek }), ...Object.values(aliases).flat(), ...listKeys]),
  ];
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.integer({ min: -2, max: 70000 }),
    fc.constantFrom("LLLG", "0,1,2", "noaux_tc"),
    fc.array(
      fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constantFrom("full_attention", "sparse", "moe", true, null)),
      {
        minLength: 3,
        maxLength: 5,
      },
    ),
  ) as fc.Arbitrary<Json>;
  const changed = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 5 });
  fc.assert(
    fc.property(fc.constantFrom(...Object.entries(families)), changed, ([modelType, family], changes) => {
      try {
        const config: Config = { ...configOf(modelType, family), ...changes };
        expect(Number.isSafeInteger(parametersOf(resolve(config)).total)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError);
      }
    }),
    { numRuns, seed: 3 },
  );
}

/** Keys that hold lists, texts or objects. */
const listKeys = [
  "attention_other_setting",
  "compress_rates",
  "compress_ratios",
  "gating",
  "is_moe_layer",
  "layer_types",
  "linear_attn_config",
  "mlp_layer_types",
  "moe_layer_end_index",
  "moe_layer_interval",
  "moe_layer_layout",
  "moe_layer_start_index",
  "moe_layers_enum",
  "num_attention_heads_per_layer",
  "share_q_dim",
  "size_experts",
  "sliding_window_layout",
  "sliding_window_pattern",
  "sparse_attention_config",
  "text_config",
  "use_mla",
];
