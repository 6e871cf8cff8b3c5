import type { Architecture } from "./architecture.ts";
import { readFlag, readNumber } from "./config-values.ts";
import { linear, readExperts, readWidth, separateExperts } from "./feed-forward.ts";
import { gqa, readGqaShape } from "./grouped-attention.ts";
import { softmaxTopK } from "./routing-rules.ts";

/** OLMoE (arXiv 2409.02060): norms over all query and all key heads, optional clipping of queries, keys and values. */
export const olmoe: Architecture = {
  id: "olmoe",
  layers(reader, sizes) {
    const shape = readGqaShape(reader, sizes);
    const biased = readFlag(reader, "attention_bias", false);
    const clip = reader.raw("clip_qkv") === undefined ? null : readNumber(reader, ["clip_qkv"]);
    reader.unsupported({ sliding_window: "a window, which only some kernels of this class apply," });
    const { hiddenSize } = sizes;
    const { experts, topK } = readExperts(reader);
    const expertWidth = readWidth(reader, "intermediate_size");
    const routing = softmaxTopK(readFlag(reader, "norm_topk_prob", false));
    return (_index, prefix) => ({
      attention: gqa(prefix, shape, { biases: { input: biased, output: biased }, norm: "projection", clip }),
      feedForward: {
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
      },
    });
  },
};
