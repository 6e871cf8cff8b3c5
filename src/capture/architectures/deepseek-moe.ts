import { aliases } from "../../models/aliases.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { RoutingRule } from "../../models/routing.ts";
import type { DensePlan, MoePlan } from "../decoder/plan.ts";
import type { ModelSizes } from "./architecture.ts";
import { linear, readExperts, readWidth, separateExperts, swiglu } from "./feed-forward.ts";

/**
 * Reads the feed-forward networks of DeepSeek's classes: dense in the first layers, then experts beside shared experts.
 * `readRouting` reads the rule; `biased` says whether the router has a selection bias.
 */
export function readDeepseekFeedForward(
  reader: ConfigReader,
  { hiddenSize, layerCount }: ModelSizes,
  biased: boolean,
  readRouting: (counts: { readonly experts: number; readonly topK: number }) => RoutingRule,
): (index: number, prefix: string) => DensePlan | MoePlan {
  const denseLayers = reader.count("denseLayers", aliases.densePrefix, { min: 0, max: layerCount });
  const every = reader.count("moeLayers", ["moe_layer_freq"], { fallback: { value: 1, rule: "every layer" } });
  const denseWidth = readWidth(reader, "intermediate_size");
  const { experts, topK } = readExperts(reader);
  const expertWidth = readWidth(reader, "moe_intermediate_size");
  const sharedExperts = reader.count("sharedExperts", aliases.sharedExperts, { min: 0 });
  const routing = readRouting({ experts, topK });
  return (index, prefix) => {
    const module = `${prefix}.mlp`;
    if (index < denseLayers || index % every !== 0) return swiglu(module, hiddenSize, denseWidth);
    return {
      kind: "moe",
      experts,
      topK,
      expertWidth,
      gate: linear(`${module}.gate`, hiddenSize, experts),
      routing,
      selectionBias: biased ? `${module}.gate.e_score_correction_bias` : null,
      expert: separateExperts(`${module}.experts`),
      activation: "silu",
      shared: sharedExperts === 0 ? null : swiglu(`${module}.shared_experts`, hiddenSize, sharedExperts * expertWidth),
      sharedGate: null,
    };
  };
}
