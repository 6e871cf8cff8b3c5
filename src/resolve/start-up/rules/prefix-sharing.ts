import { engineName, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

/** A state of linear attention stands for a whole prefix, so that blocks of it are not shared one by one. */
export const prefixesOfStates: StartUpRule = {
  about: "shared prefixes under linear attention and Mamba",
  engines: [...vllmBuilds, "vllm-ascend", ...sglangBuilds, "tensorrt-llm"],
  says: "noted: vLLM does not share them by default, nor at all before 0.15 (Mamba-2 aside); SGLang needs another strategy for it with speculative decoding; TensorRT-LLM has it since March 2026",
  source:
    'vLLM, pull requests 23716 (off by default), 30877 (mode align) and 46778, issue 40696 (blocks of 528 tokens); SGLang, issue 27418: "incompatible with no_buffer radix cache"; TensorRT-LLM, pull requests 3663 and 12185',
  check(deployment) {
    const { model, scheduler, engine, speculation } = deployment;
    if (!scheduler.prefixCaching || model.layers.every(({ attention }) => attention.kind !== "linear")) return [];
    const sglang = engine.id.startsWith("sglang");
    if (sglang && speculation === null) return [];
    const does = sglang
      ? "shares prefixes of linear attention with speculative decoding only with --mamba-scheduler-strategy extra_buffer and SGLANG_ENABLE_SPEC_V2=1"
      : engine.id === "tensorrt-llm"
        ? "shares prefixes of linear attention in its latest versions only; others need enable_block_reuse: false"
        : `shares prefixes of linear attention only with --enable-prefix-caching, in blocks of hundreds of tokens instead of ${scheduler.blockTokens}`;
    return [
      {
        severity: "warning",
        at: "engine.enablePrefixCaching",
        expected: "false",
        found: true,
        reason: `${engineName(deployment)} ${does}`,
      },
    ];
  },
};
