import { lowLatency } from "../../../engine/exchange/expert-exchange.ts";
import { exchangesTokens, moeShape } from "../../../sim/mapping.ts";
import { engineName, type Finding, type StartUpRule } from "../start-up-rule.ts";

/** Hidden sizes that kernels of low-latency mode are compiled for; 2880 by a patch that SGLang's images carry. */
const hiddenSizes = [2048, 2560, 2880, 3072, 4096, 5120, 6144, 7168, 8192];
/** kNumMaxTopK of internode_ll.cu. */
const mostChoices = 11;

export const deepEpShapes: StartUpRule = {
  about: "shapes of low-latency DeepEP",
  engines: ["vllm", "sglang", "tensorrt-llm"],
  says: `refuse hidden sizes other than ${hiddenSizes.join(", ")} (vLLM pads to the next), and more than ${mostChoices} experts a token`,
  source:
    "deepseek-ai/DeepEP, csrc/kernels/launch.cuh, SWITCH_HIDDEN, and internode_ll.cu, kNumMaxTopK; vLLM, fused_moe/deepep_ll_prepare_finalize.py, SUPPORTED_HIDDEN_SIZES; SGLang, scripts/ci/cuda/patch_deepep_gpt_oss.py",
  check(deployment) {
    const { model, mapping, engine } = deployment;
    const moe = moeShape(model);
    if (moe === null || !exchangesTokens(mapping) || !lowLatency(engine.expertExchange, false)) return [];
    const found: Finding[] = [];
    const hidden = moe.expertHidden;
    const taken = engine.id === "vllm" ? hidden <= hiddenSizes.at(-1)! : hiddenSizes.includes(hidden);
    const say = (expected: string, value: number, reason: string) =>
      found.push({
        severity: "refusal",
        at:
          engine.id === "vllm"
            ? "engine.all2allBackend"
            : engine.id === "sglang"
              ? "engine.deepepMode"
              : "engine.forceAlltoallMethod",
        expected,
        found: value,
        reason,
        hint: "another way of exchanging, or DeepEP in its normal mode",
      });
    if (!taken)
      say(
        `a hidden size of ${hiddenSizes.join(", ")}`,
        hidden,
        `${engineName(deployment)} has kernels of low-latency DeepEP for these sizes`,
      );
    if (moe.topK > mostChoices)
      say(
        `at most ${mostChoices} experts a token`,
        moe.topK,
        `${engineName(deployment)} has kernels of low-latency DeepEP for no more`,
      );
    return found;
  },
};
