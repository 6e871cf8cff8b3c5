import type { Architecture } from "./architecture.ts";
import { readFlag } from "./config-values.ts";
import { linear, readExperts, readSparseLayers, readWidth, separateExperts, swiglu } from "./feed-forward.ts";
import { gqa, readGqaShape, readLayerTypes, readWindow } from "./grouped-attention.ts";
import { softmaxTopK } from "./routing-rules.ts";

/** Qwen1.5-MoE and Qwen2-MoE: biased queries, keys and values; a shared expert behind a sigmoid gate. */
export const qwen2Moe: Architecture = {
  id: "qwen2-moe",
  layers(reader, sizes) {
    const { hiddenSize, layerCount } = sizes;
    const shape = readGqaShape(reader, sizes);
    const biases = { input: readFlag(reader, "qkv_bias", true), output: false };
    const windowed = readLayerTypes(reader, layerCount);
    const enabled = readFlag(reader, "use_sliding_window", false);
    if (enabled && windowed === null)
      reader.problem(
        "use_sliding_window",
        "false, or layer_types",
        true,
        "versions of the class place windows differently",
      );
    const windowTokens = enabled && windowed?.includes(true) === true ? readWindow(reader) : null;
    // A list of layers places windows, or there are none.
    reader.skip(["max_window_layers", "sliding_window"]);
    const isSparse = readSparseLayers(reader, layerCount);
    const { experts, topK } = readExperts(reader);
    const expertWidth = readWidth(reader, "moe_intermediate_size");
    const sharedWidth = readWidth(reader, "shared_expert_intermediate_size");
    const denseWidth = readWidth(reader, "intermediate_size");
    const routing = softmaxTopK(readFlag(reader, "norm_topk_prob", false));
    return (index, prefix) => ({
      attention: gqa(prefix, shape, { biases, windowTokens: windowed?.[index] === true ? windowTokens : null }),
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
            shared: swiglu(`${prefix}.mlp.shared_expert`, hiddenSize, sharedWidth),
            sharedGate: linear(`${prefix}.mlp.shared_expert_gate`, hiddenSize, 1),
          }
        : swiglu(`${prefix}.mlp`, hiddenSize, denseWidth),
    });
  },
};
