import type { ModelSpec } from "../../../models/spec.ts";
import { isInt4, scaleBlockOf, smallestGroup } from "../scale-blocks.ts";
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
}

/** Matrices of attention, and of feed-forward networks that are no routed expert, as ranks of tensor parallelism cut them. */
function cutsOf(model: ModelSpec, { mapping: { tp, dp } }: Deployment): readonly Cut[] {
  const cuts = new Map<string, Cut>();
  const add = (tensors: Cut["tensors"], what: string, whole: number, sides: readonly Cut["side"][]) => {
    for (const side of sides) if (whole > 0) cuts.set(`${tensors} ${whole} ${side}`, { tensors, what, whole, side });
  };
  for (const { attention, feedForward } of model.layers) {
    if (attention.kind === "gqa") {
      const { queryHeads, kvHeads, headDim, valueHeadDim = headDim } = attention;
      add("attention", "queries", queryHeads * headDim, ["outputs"]);
      // Heads that are fewer than the ranks are held by several of them.
      add("attention", "keys", Math.max(kvHeads, tp) * headDim, ["outputs"]);
      add("attention", "values", Math.max(kvHeads, tp) * valueHeadDim, ["outputs"]);
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

/** Cuts inside a block of scales, the first of each tensor class and what it says of them. */
function broken(deployment: Deployment, say: (cut: Cut, slice: number) => Finding | null): readonly Finding[] {
  const { tp } = deployment.mapping;
  if (tp === 1) return [];
  const found = new Map<Cut["tensors"], Finding>();
  for (const cut of cutsOf(deployment.model, deployment)) {
    if (found.has(cut.tensors)) continue;
    const one = say(cut, cut.whole / tp);
    if (one !== null) found.set(cut.tensors, one);
  }
  return [...found.values()];
}

function finding(
  { mapping: { tp } }: Deployment,
  severity: Finding["severity"],
  size: number,
  reason: string,
): Finding {
  const expected = `slices of whole blocks of ${size}`;
  return {
    severity,
    at: "parallel.tp",
    expected,
    found: tp,
    reason,
    hint: "fewer tensor-parallel ranks; pipeline stages or data-parallel ranks instead",
  };
}

export const fp8LayerSlices: StartUpRule = {
  about: "attention, dense layers and shared experts in FP8 blocks",
  engines: [...vllmBuilds, ...sglangBuilds, "tensorrt-llm"],
  says: "refuse slices that are no multiple of 128 wide; noted for TensorRT-LLM",
  source:
    "vLLM, quantization/utils/fp8_utils.py, validate_fp8_block_shape, and issue 12256 (DeepSeek-V3 on 32 ranks: 18432 / 32 = 576). SGLang, layers/quantization/fp8.py: the same check, docs/basic_usage/deepseek_v3",
  check(deployment) {
    return broken(deployment, ({ tensors, what, whole }, slice) => {
      const block = scaleBlockOf(deployment.formats[tensors]);
      if (block === null || block.outputs === 1 || slice % block.outputs === 0) return null;
      const trtllm = deployment.engine.id === "tensorrt-llm";
      const does = trtllm ? "is not known to load" : "does not load";
      const reason = `${engineName(deployment)} ${does} ${what} ${whole} / ${deployment.mapping.tp} = ${slice} wide, whose scales stand for blocks of ${block.outputs}`;
      return finding(deployment, trtllm ? "warning" : "refusal", block.outputs, reason);
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
    return broken(deployment, ({ tensors, what, whole, side }, slice) => {
      const format = deployment.formats[tensors];
      const block = scaleBlockOf(format);
      if (block === null || block.outputs !== 1 || format === "mxfp4" || side === "outputs") return null;
      if (slice % block.inputs === 0) return null;
      const certain = block.certain || slice % smallestGroup !== 0;
      const does = certain ? "does not load" : isInt4(format) ? "loads only in smaller groups" : "is not known to load";
      const reason = `${engineName(deployment)} ${does} ${what} in ${format}: ${whole} / ${deployment.mapping.tp} = ${slice} inputs cut groups of ${block.inputs}`;
      return finding(deployment, certain ? "refusal" : "warning", block.inputs, reason);
    });
  },
};
