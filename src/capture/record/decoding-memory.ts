import { InfeasibleError } from "../../core/errors.ts";
import { sum } from "../../core/statistics.ts";
import { formatBytes } from "../../core/units.ts";
import type { DecoderPlan, LayerPlan } from "../decoder/plan.ts";
import { longest } from "./groups.ts";
import { expertValues, layerHoldings, layerValues } from "./layer-memory.ts";
import { type MemoryItems, type MemoryLimits, memorySum, totalBytes } from "./memory-plan.ts";

/**
 * The most that decoding holds: every layer with all its experts, the head, keys and values of the longest sequence, and
 * what its prompt needs on the way. Throws InfeasibleError with the sum where that does not fit.
 */
export function decodingMemory(plan: DecoderPlan, starts: Uint32Array, limits: MemoryLimits): MemoryItems {
  const { hiddenSize, vocabSize, layers } = plan;
  const sequenceTokens = longest(starts);
  const copies = 1 + limits.matrixCopies;
  const moe = layers.flatMap(({ feedForward }) => (feedForward.kind === "moe" ? [feedForward] : []));
  const expertArrays = moe.reduce((sum, layer) => sum + layer.experts * expertValues(layer), 0);
  const onBackend = layers.reduce((sum, layer) => sum + layerValues(layer), hiddenSize * vocabSize) * copies;
  const load = { hiddenSize, sequenceTokens, groupTokens: sequenceTokens, keepsExperts: false, runsExperts: true };
  const stages = layers.flatMap((layer) => layerHoldings(layer, { ...load, matrixCopies: limits.matrixCopies }));
  const most = (of: (stage: (typeof stages)[number]) => number) => Math.max(...stages.map(of));
  const largestExpert = Math.max(0, ...moe.map(expertValues)) * copies;
  // A layer's keys and values are copied when a token is added.
  const cached = sequenceTokens * (sum(layers.map(keyValueWidth)) + Math.max(...layers.map(keyValueWidth)));
  const items: MemoryItems = {
    weights: 4 * (onBackend + largestExpert + expertArrays),
    states: 4 * most(({ arrays }) => arrays.states),
    activations: 4 * (most(({ tensors }) => tensors.activations) + cached + vocabSize),
    scores: 4 * most(({ tensors }) => tensors.scores),
    tokens: 4 * (starts.at(-1) ?? 0),
  };
  const tensorBytes = totalBytes(items) - 4 * expertArrays - items.states - items.tokens;
  const backendBytes = limits.backendBytes ?? Number.POSITIVE_INFINITY;
  if (totalBytes(items) > limits.bytes || tensorBytes > backendBytes)
    throw new InfeasibleError(
      `decoding needs the whole model in memory: ${memorySum(items)}, ${formatBytes(tensorBytes)} of it tensors, but ` +
        (totalBytes(items) > limits.bytes
          ? `--memory allows ${formatBytes(limits.bytes)}`
          : `the backend holds ${formatBytes(backendBytes)}`) +
        "\nwithout --generate, layers are streamed and less is needed",
    );
  return items;
}

/** Values of keys and values per token. */
function keyValueWidth({ attention }: LayerPlan): number {
  if (attention.kind === "gqa") return 2 * attention.kvHeads * attention.headDim;
  return attention.queryHeads * (attention.nopeHeadDim + attention.ropeHeadDim + attention.valueHeadDim);
}
