import { aliases } from "../../models/aliases.ts";
import type { Architecture } from "./architecture.ts";
import { linear, readExperts, readWidth, separateExperts, swiglu } from "./feed-forward.ts";
import { gqa, readGqaShape } from "./grouped-attention.ts";

/**
 * Pangu Pro MoE (arXiv 2505.21411), as vllm-ascend's pangu_moe.py executes it: biases on all four projections of attention,
 * one expert of each of topK equal groups by softmax over all experts, not renormalised, a learned factor on each expert's
 * output, an ungated shared expert. The recorded weights are those of the router, without that factor.
 */
export const panguProMoe: Architecture = {
  id: "pangu-pro-moe",
  layers(reader, sizes) {
    const { hiddenSize } = sizes;
    const shape = readGqaShape(reader, sizes);
    reader.unsupported({ mlp_only_layers: "a layer without experts" });
    const { experts, topK } = readExperts(reader);
    if (experts % topK !== 0) reader.problem(aliases.topK[0], `a divisor of the ${experts} experts`, topK);
    const expertWidth = readWidth(reader, "moe_intermediate_size");
    const sharedWidth = readWidth(reader, "shared_expert_intermediate_size");
    return (_index, prefix) => ({
      attention: gqa(prefix, shape, { biases: { input: true, output: true } }),
      feedForward: {
        kind: "moe",
        experts,
        topK,
        expertWidth,
        gate: linear(`${prefix}.mlp.gate`, hiddenSize, experts),
        routing: {
          scoring: "softmax",
          normalisesTopK: false,
          scale: 1,
          groups: { count: topK, kept: topK, rank: "each" },
        },
        selectionBias: null,
        expert: { ...separateExperts(`${prefix}.mlp.experts`), outputScale: `${prefix}.mlp.router_scale` },
        activation: "silu",
        shared: swiglu(`${prefix}.mlp.shared_expert`, hiddenSize, sharedWidth),
        sharedGate: null,
      },
    });
  },
};
