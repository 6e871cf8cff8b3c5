import { aliases } from "../../models/aliases.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { DensePlan, ExpertLayout, LinearPlan } from "../decoder/plan.ts";

const widthMax = 1 << 24;
/** Expert ids of traces are 16 bits wide. */
const expertsMax = 65536;

/** A projection under its name in the checkpoint. */
export function linear(module: string, inputWidth: number, outputWidth: number, biased = false): LinearPlan {
  return { weight: `${module}.weight`, bias: biased ? `${module}.bias` : null, inputWidth, outputWidth };
}

/** A SwiGLU network. */
export function swiglu(module: string, hiddenSize: number, width: number): DensePlan {
  return {
    kind: "dense",
    gate: linear(`${module}.gate_proj`, hiddenSize, width),
    up: linear(`${module}.up_proj`, hiddenSize, width),
    down: linear(`${module}.down_proj`, width, hiddenSize),
    activation: "silu",
  };
}

/** Experts with a tensor for each matrix; `names` are those of gate, up and down. */
export function separateExperts(
  module: string,
  [gate, up, down]: readonly [string, string, string] = ["gate_proj", "up_proj", "down_proj"],
): Extract<ExpertLayout, { readonly kind: "separate" }> {
  const name = (matrix: string) => `${module}.{}.${matrix}.weight`;
  return { kind: "separate", gate: name(gate), up: name(up), down: name(down) };
}

export function readWidth(reader: ConfigReader, key: string): number {
  return reader.count(key, [key], { max: widthMax });
}

/** Number of experts and how many a token uses. */
export function readExperts(reader: ConfigReader): { experts: number; topK: number } {
  const experts = reader.count("experts", aliases.experts, { max: expertsMax });
  const topK = reader.count("topK", aliases.topK, { max: expertsMax });
  if (topK > experts) reader.problem(aliases.topK[0], `at most the ${experts} experts`, topK);
  return { experts, topK };
}

/** Which layers have experts in Qwen's classes: every `decoder_sparse_step`-th one but those of `mlp_only_layers`. */
export function readSparseLayers(reader: ConfigReader, layerCount: number): (index: number) => boolean {
  const step = reader.count("sparseStep", ["decoder_sparse_step"], { fallback: { value: 1, rule: "every layer" } });
  const listed = reader.raw("mlp_only_layers") ?? [];
  const dense = new Set(Array.isArray(listed) ? listed : []);
  const isLayer = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) < layerCount;
  if (!Array.isArray(listed) || !listed.every(isLayer))
    reader.problem("mlp_only_layers", `a list of layers from 0 to ${layerCount - 1}`, listed);
  return (index) => (index + 1) % step === 0 && !dense.has(index);
}
