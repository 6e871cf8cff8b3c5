import type { Architecture } from "./architecture.ts";
import { onlyValue, readFlag } from "./config-values.ts";
import { linear, readExperts, readSparseLayers, readWidth, separateExperts, swiglu } from "./feed-forward.ts";
import { gqa, readGqaShape } from "./grouped-attention.ts";
import { softmaxTopK } from "./routing-rules.ts";

/** Qwen3-MoE (arXiv 2505.09388): norms over each query and key head, no shared expert. */
export const qwen3Moe: Architecture = {
  id: "qwen3-moe",
  layers(reader, sizes) {
    const { hiddenSize, layerCount } = sizes;
    const shape = readGqaShape(reader, sizes);
    const biased = readFlag(reader, "attention_bias", false);
    // Versions of the class differ in which layers a window applies to; no released model has one.
    onlyValue(reader, "use_sliding_window", false);
    reader.skip(["max_window_layers", "sliding_window"]);
    const isSparse = readSparseLayers(reader, layerCount);
    const { experts, topK } = readExperts(reader);
    const expertWidth = readWidth(reader, "moe_intermediate_size");
    const denseWidth = readWidth(reader, "intermediate_size");
    const routing = softmaxTopK(readFlag(reader, "norm_topk_prob", false));
    return (index, prefix) => ({
      attention: gqa(prefix, shape, { biases: { input: biased, output: biased }, norm: "head" }),
      feedForward: isSparse(index)
        ? {
            kind: "moe",
            experts,
            topK,
            expertWidth,
            gate: linear(`${prefix}.mlp.gate`, hiddenSize, experts),
            routing,
            selectionBias: null,
            expert: separateExperts(`${prefix}.mlp.experts`),
            activation: "silu",
            shared: null,
            sharedGate: null,
          }
        : swiglu(`${prefix}.mlp`, hiddenSize, denseWidth),
    });
  },
};
