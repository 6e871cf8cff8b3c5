import { planOf } from "../../../src/capture/architectures/plan-of.ts";
import { plannedTensors } from "../../../src/capture/checkpoint/planned-tensors.ts";
import { counting, type FileTensor, f32 } from "./checkpoint-files.ts";

/** A Mixtral of one layer and two experts. */
export const tinyMixtral = {
  model_type: "mixtral",
  vocab_size: 6,
  hidden_size: 4,
  intermediate_size: 3,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  num_local_experts: 2,
  num_experts_per_tok: 1,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
};

/** Every tensor of the model of a config.json in float32, each filled with numbers of its own. */
export function tensorsOf(config: object): Record<string, FileTensor> {
  const tensors: Record<string, FileTensor> = {};
  let from = 0;
  for (const { name, shape } of plannedTensors(planOf({ ...config }, "config.json"))) {
    const count = shape.reduce((product, size) => product * size, 1);
    tensors[name] = f32(shape, counting(count, from));
    from += count;
  }
  return tensors;
}
