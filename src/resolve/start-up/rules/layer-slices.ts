import type { ModelSpec } from "../../../models/spec.ts";
import { scaleBlockOf, smallestGroup } from "../scale-blocks.ts";
import {
  type Deployment,
  engineName,
  type Finding,
  type StartUpRule,
  sglangBuilds,
  vllmBuilds,
} from "../start-up-rule.ts";

/** A matrix that tensor parallelism cuts: into slices of so many outputs, or of so many inputs. */
interface Cut {
  readonly tensors: "attention" | "dense" | "shared";
  readonly what: string;
  readonly whole: number;
  readonly side: "outputs" | "inputs";
  /** Queries, keys and values in one matrix, which engines load with cut blocks for some models. */
  readonly merged?: true;
}

/** Matrices of attention, and of feed-forward networks that are no routed expert, as ranks of tensor parallelism cut them. */
function cutsOf(model: ModelSpec, { mapping: { tp, dp } }: Deployment): readonly Cut[] {
  const cuts = new Map<string, Cut>();
  const add = (tensors: Cut["tensors"], what: string, whole: number, sides: readonly Cut["side"][]) => {
    for (const side of sides) if (whole > 0) cuts.set(`${tensors} ${whole} ${side}`, { tensors, what, whole, side });
  };
  const addMerged = (what: string, whole: number) =>
    cuts.set(`merged ${whole}`, { tensors: "attention", what, whole, side: "outputs", merged: true });
  for (const { attention, feedForward } of model.layers) {
    if (attention.kind === "gqa") {
      const { queryHeads, kvHeads, headDim, valueHeadDim = headDim } = attention;
      addMerged("queries", queryHeads * headDim);
      // Heads that are fewer than the ranks are held by several of them.
      addMerged("keys", Math.max(kvHeads, tp) * headDim);
      addMerged("values", Math.max(kvHeads, tp) * valueHeadDim);
      add("attention", "attention output", queryHeads * valueHeadDim, ["inputs"]);
    }
    if (attention.kind === "mla" && attention.compressed === undefined) {
      const { queryHeads, nopeHeadDim, ropeHeadDim, valueHeadDim } = attention;
      add("attention", "queries", queryHeads * (nopeHeadDim + ropeHeadDim), ["outputs"]);
      add("attention", "keys and values", queryHeads * (nopeHeadDim + valueHeadDim), ["outputs"]);
      add("attention", "attention output", queryHeads * valueHeadDim, ["inputs"]);
    }
    if (feedForward.kind === "dense") add("dense", "dense layers", feedForward.width, ["outputs", "inputs"]);
    if (feedForward.kind !== "moe") continue;
    add("dense", "dense layers", feedForward.denseWidth, ["outputs", "inputs"]);
    // Under data-parallel attention engines may hold shared experts whole.
    if (dp === 1) add("shared", "shared experts", feedForward.sharedWidth, ["outputs", "inputs"]);
  }
  return [...cuts.values()];
}

/** What an engine does with a cut inside a block of scales of so many values. */
interface Broken {
  readonly severity: Finding["severity"];
  readonly does: string;
  readonly size: number;
}

/** Findings on cuts inside blocks of scales: one for all that an engine does the same with, with a cut of each tensor class. */
function broken(deployment: Deployment, judge: (cut: Cut, slice: number) => Broken | null): readonly Finding[] {
  const { mapping, formats, model } = deployment;
  const { tp } = mapping;
  if (tp === 1) return [];
  const found = new Map<string, Broken & { readonly cuts: Map<Cut["tensors"], string> }>();
  for (const cut of cutsOf(model, deployment)) {
    const slice = cut.whole / tp;
    const one = judge(cut, slice);
    if (one === null) continue;
    const key = `${one.does} ${one.size}`;
    const { cuts } = found.get(key) ?? found.set(key, { ...one, cuts: new Map() }).get(key)!;
    if (!cuts.has(cut.tensors))
      cuts.set(cut.tensors, `${cut.what} in ${formats[cut.tensors]}, ${cut.whole} / ${tp} = ${slice}`);
  }
  return [...found.values()].map(({ severity, does, size, cuts }) => ({
    severity,
    at: "parallel.tp",
    expected: `slices of whole blocks of ${size}`,
    found: tp,
    reason: `${engineName(deployment)} ${does} slices that cut blocks of ${size} values with one scale: ${[...cuts.values()].join("; ")}`,
    hint: "fewer tensor-parallel ranks; pipeline stages or data-parallel ranks instead",
  }));
}

export const fp8LayerSlices: StartUpRule = {
  about: "attention, dense layers and shared experts in FP8 blocks",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "refuse slices that are no multiple of 128 wide; noted for TensorRT-LLM, and for queries, keys and values in one matrix, which some models are exempt with",
  source:
    "vLLM, quantization/utils/fp8_utils.py, validate_fp8_block_shape, issues 12256 (DeepSeek-V3 on 32 ranks) and 42384 (shared experts, 3072 / 16; since June 2026 pull request 46001 pads those of DeepSeek-V4). SGLang, layers/quantization/fp8.py, validate_block_quant_shapes, issue 26107 (shared experts, 1280 / 4)",
  check(deployment) {
    return broken(deployment, ({ tensors, merged }, slice) => {
      const block = scaleBlockOf(deployment.formats[tensors]);
      if (block === null || block.outputs === 1 || slice % block.outputs === 0) return null;
      return merged === true || deployment.engine.id === "tensorrt-llm"
        ? { severity: "warning", does: "is not known to load", size: block.outputs }
        : { severity: "refusal", does: "does not load", size: block.outputs };
    });
  },
};

export const groupedLayerSlices: StartUpRule = {
  about: "attention, dense layers and shared experts in groups of values (NVFP4, 4-bit integers)",
  engines: [...vllmBuilds, ...sglangBuilds],
  says: "refuse slices that cut a group of 16 (NVFP4) or 32 (any 4-bit integers); usual groups of 128 are noted",
  source:
    'vLLM, quantization/awq.py and gptq.py: "The input size is not aligned with the quantized weight shape", issues 11671 and 13640; quantization/modelopt.py: "in features size is not multiple of 16" for NVFP4. SGLang, layers/quantization/awq.py and modelopt_quant.py: the same',
  check(deployment) {
    return broken(deployment, ({ tensors, side }, slice) => {
      const format = deployment.formats[tensors];
      const block = scaleBlockOf(format);
      if (block === null || block.outputs !== 1 || format.startsWith("mxfp4") || side === "outputs") return null;
      if (slice % block.inputs === 0) return null;
      const size = block.inputs;
      if (block.certain || slice % smallestGroup !== 0) return { severity: "refusal", does: "does not load", size };
      return { severity: "warning", does: "loads only in smaller groups", size };
    });
  },
};
