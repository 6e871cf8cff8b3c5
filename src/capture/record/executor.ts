import type { LoadedBackend } from "../backends/backend.ts";
import type { Checkpoint } from "../checkpoint/open-checkpoint.ts";
import { readExpert } from "../checkpoint/read-expert.ts";
import { embedTokens } from "../decoder/embedding.ts";
import { loadLayer } from "../decoder/layer.ts";
import type { LayerPlan } from "../decoder/plan.ts";
import type { ExpertReader, ExpertWeights } from "../decoder/weights.ts";
import type { LayerExecutor } from "./record-layers.ts";

/** Executes a checkpoint on a backend. `keepsExperts` says for each layer whether its experts stay in memory once read. */
export function executorOf(
  { tf }: LoadedBackend,
  { weights, plan }: Checkpoint,
  keepsExperts: (layer: LayerPlan) => boolean,
): LayerExecutor {
  const read: ExpertReader = (moe, expert) => readExpert(weights, moe, plan.hiddenSize, expert);
  return {
    embed: (tokens) => embedTokens(weights, plan, tokens),
    open: (layer) => loadLayer(tf, weights, keepsExperts(layer) ? keeping(read) : read, plan, layer),
  };
}

/** Reads each expert of one layer once. */
function keeping(read: ExpertReader): ExpertReader {
  const kept = new Map<number, Promise<ExpertWeights>>();
  return (plan, expert) => {
    const weights = kept.get(expert) ?? read(plan, expert);
    kept.set(expert, weights);
    return weights;
  };
}
