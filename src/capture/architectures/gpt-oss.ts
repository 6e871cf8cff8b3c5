import type { Architecture } from "./architecture.ts";
import { onlyValue, readFlag } from "./config-values.ts";
import { linear, readExperts, readWidth } from "./feed-forward.ts";
import { gqa, readGqaShape, readLayerTypes, readWindow } from "./grouped-attention.ts";
import { softmaxTopK } from "./routing-rules.ts";

/**
 * gpt-oss (arXiv 2508.10925): attention sinks, windows in every other layer, biases everywhere, experts in fused tensors
 * with a clamped activation. Its router takes the softmax of the chosen logits, which equals that of all of them,
 * renormalised.
 */
export const gptOss: Architecture = {
  id: "gpt-oss",
  layers(reader, sizes) {
    const { hiddenSize, layerCount } = sizes;
    if (reader.raw("head_dim") === undefined) reader.problem("head_dim", "a whole number");
    const shape = readGqaShape(reader, sizes);
    const biased = readFlag(reader, "attention_bias", true);
    const windowed =
      readLayerTypes(reader, layerCount) ?? Array.from({ length: layerCount }, (_layer, index) => index % 2 === 0);
    const windowTokens = windowed.includes(true) ? readWindow(reader) : null;
    onlyValue(reader, "swiglu_limit", 7);
    const { experts, topK } = readExperts(reader);
    const expertWidth = readWidth(reader, "intermediate_size");
    return (index, prefix) => ({
      attention: gqa(prefix, shape, {
        biases: { input: biased, output: biased },
        windowTokens: windowed[index] === true ? windowTokens : null,
        sinks: true,
      }),
      feedForward: {
        kind: "moe",
        experts,
        topK,
        expertWidth,
        gate: linear(`${prefix}.mlp.router`, hiddenSize, experts, true),
        routing: softmaxTopK(true),
        selectionBias: null,
        expert: {
          kind: "fused",
          gateUp: `${prefix}.mlp.experts.gate_up_proj`,
          gateUpBias: `${prefix}.mlp.experts.gate_up_proj_bias`,
          down: `${prefix}.mlp.experts.down_proj`,
          downBias: `${prefix}.mlp.experts.down_proj_bias`,
        },
        activation: "clampedSwish",
        shared: null,
        sharedGate: null,
      },
    });
  },
};
