import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tensor, Tfjs } from "../../src/capture/backends/backend.ts";
import { layOutSafetensors } from "../../src/trace/container/safetensors.ts";
import type { Parameters } from "./parameters.ts";
import { configJson, type Shape } from "./shape.ts";

/**
 * Writes the model as a Hugging Face checkpoint with Mixtral's tensor names: config.json, model.safetensors (float32).
 * Matrices are stored [out, in] there; w1 is the gate, w3 the up and w2 the down projection.
 */
export async function saveCheckpoint(tf: Tfjs, shape: Shape, parameters: Parameters, folder: string): Promise<void> {
  const tensors = await publishedTensors(tf, shape, parameters);
  const { header, entries, fileBytes } = layOutSafetensors(
    { format: "pt" },
    tensors.map(({ name, size }) => ({ name, dtype: "F32", shape: size })),
  );
  const bytes = new Uint8Array(fileBytes);
  bytes.set(header);
  for (const [i, { values }] of tensors.entries())
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), entries[i]!.offset);
  await mkdir(folder, { recursive: true });
  await replace(join(folder, "model.safetensors"), bytes);
  await replace(join(folder, "config.json"), `${JSON.stringify(configJson(shape), null, 2)}\n`);
}

async function replace(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(`${path}.partial`, content);
  await rename(`${path}.partial`, path);
}

interface Published {
  readonly name: string;
  readonly size: number[];
  readonly values: Float32Array;
}

async function publishedTensors(tf: Tfjs, shape: Shape, parameters: Parameters): Promise<Published[]> {
  const out: Published[] = [];
  const put = async (name: string, make: () => Tensor) => {
    const tensor = tf.tidy(make);
    out.push({ name, size: tensor.shape, values: (await tensor.data()) as Float32Array });
    tensor.dispose();
  };
  const flipped = (name: string) => () => tf.transpose(parameters[name]!);
  await put("model.embed_tokens.weight", () => tf.clone(parameters["embedding"]!));
  await put("model.norm.weight", () => tf.clone(parameters["finalNorm"]!));
  for (let layer = 0; layer < shape.layers; layer++) {
    const to = `model.layers.${layer}`;
    await put(`${to}.input_layernorm.weight`, () => tf.clone(parameters[`${layer}.attentionNorm`]!));
    await put(`${to}.post_attention_layernorm.weight`, () => tf.clone(parameters[`${layer}.feedForwardNorm`]!));
    await put(`${to}.self_attn.q_proj.weight`, flipped(`${layer}.query`));
    await put(`${to}.self_attn.k_proj.weight`, flipped(`${layer}.key`));
    await put(`${to}.self_attn.v_proj.weight`, flipped(`${layer}.value`));
    await put(`${to}.self_attn.o_proj.weight`, flipped(`${layer}.output`));
    await put(`${to}.block_sparse_moe.gate.weight`, flipped(`${layer}.router`));
    const { hidden, expertWidth } = shape;
    for (let expert = 0; expert < shape.experts; expert++) {
      const gateUp = (from: number) => () => {
        const both = tf.slice(parameters[`${layer}.gateUp`]!, [expert, 0, from], [1, hidden, expertWidth]);
        return tf.transpose(tf.reshape(both, [hidden, expertWidth]));
      };
      const of = `${to}.block_sparse_moe.experts.${expert}`;
      await put(`${of}.w1.weight`, gateUp(0));
      await put(`${of}.w3.weight`, gateUp(expertWidth));
      await put(`${of}.w2.weight`, () => {
        const down = tf.slice(parameters[`${layer}.down`]!, [expert, 0, 0], [1, expertWidth, hidden]);
        return tf.transpose(tf.reshape(down, [expertWidth, hidden]));
      });
    }
  }
  return out;
}
