import type { Architecture } from "./architecture.ts";
import { linear, readExperts, readWidth, separateExperts } from "./feed-forward.ts";
import { gqa, readGqaShape, readWindow } from "./grouped-attention.ts";
import { softmaxTopK } from "./routing-rules.ts";

/** Mixtral 8x7B and 8x22B (arXiv 2401.04088): a window, where set, in every layer; weights renormalised over the top-k. */
export const mixtral: Architecture = {
  id: "mixtral",
  layers(reader, sizes) {
    const shape = readGqaShape(reader, sizes);
    const windowTokens = reader.raw("sliding_window") === undefined ? null : readWindow(reader);
    const { hiddenSize } = sizes;
    const { experts, topK } = readExperts(reader);
    const expertWidth = readWidth(reader, "intermediate_size");
    return (_index, prefix) => ({
      attention: gqa(prefix, shape, { windowTokens }),
      feedForward: {
        kind: "moe",
        experts,
        topK,
        expertWidth,
        gate: linear(`${prefix}.block_sparse_moe.gate`, hiddenSize, experts),
        routing: softmaxTopK(true),
        selectionBias: null,
        expert: separateExperts(`${prefix}.block_sparse_moe.experts`, ["w1", "w3", "w2"]),
        activation: "silu",
        shared: null,
        sharedGate: null,
      },
    });
  },
};
