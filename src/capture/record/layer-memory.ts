import { sum } from "../../core/statistics.ts";
import { scoresMax } from "../decoder/attend.ts";
import { expertRowsMax } from "../decoder/mixture.ts";
import type { DensePlan, GqaPlan, LayerPlan, LinearPlan, MlaPlan, MoePlan } from "../decoder/plan.ts";
import { attentionLinears } from "./matmul-work.ts";

/** Float32 values that are in memory at once, by what they are, at a moment of a layer. */
export interface Holding {
  /** On the backend. */
  readonly tensors: { readonly weights: number; readonly activations: number; readonly scores: number };
  /** In arrays of the process. */
  readonly arrays: { readonly weights: number; readonly states: number };
  /** Of the largest tensor. */
  readonly largest: number;
}

/** What a layer's execution depends on beside its plan. */
export interface Load {
  readonly hiddenSize: number;
  /** Tokens of the longest sequence. */
  readonly sequenceTokens: number;
  /** Tokens that go through the layer together. */
  readonly groupTokens: number;
  /** All experts of the layer stay in arrays once read. */
  readonly keepsExperts: boolean;
  /** Experts are executed, not only chosen. */
  readonly runsExperts: boolean;
  /** Copies of a matrix that the backend makes to multiply with it. */
  readonly matrixCopies: number;
}

/** Upper bounds of what the stages of a layer hold, following `src/capture/decoder` operation by operation. */
export function layerHoldings(layer: LayerPlan, load: Load): Holding[] {
  const { feedForward } = layer;
  return [
    loading(layer, load),
    attending(layer, load),
    ...(feedForward.kind === "dense" ? [running(layer, feedForward, load)] : mixing(layer, feedForward, load)),
  ];
}

/** Values of the matrices of a layer, those of its routed experts apart. */
export function layerValues({ attention, feedForward }: LayerPlan): number {
  return sum([...attentionLinears(attention), ...feedForwardLinears(feedForward)].map(linearValues));
}

/** Values of one routed expert. */
export const expertValues = ({ expertWidth, gate, expert }: MoePlan): number =>
  3 * gate.inputWidth * expertWidth + (expert.kind === "fused" ? 2 * expertWidth + gate.inputWidth : 0);

function feedForwardLinears(plan: DensePlan | MoePlan): LinearPlan[] {
  if (plan.kind === "dense") return [plan.gate, plan.up, plan.down];
  const { gate, shared, sharedGate } = plan;
  return [gate, ...(shared === null ? [] : feedForwardLinears(shared)), ...(sharedGate === null ? [] : [sharedGate])];
}

const linearValues = ({ inputWidth, outputWidth, bias }: LinearPlan) =>
  inputWidth * outputWidth + (bias === null ? 0 : outputWidth);

/** A matrix as it is stored and its transpose, while the rest of the layer is on the backend. */
function loading(layer: LayerPlan, { matrixCopies }: Load): Holding {
  const largest = Math.max(
    ...[...attentionLinears(layer.attention), ...feedForwardLinears(layer.feedForward)].map(linearValues),
  );
  return {
    tensors: { weights: layerValues(layer) * (1 + matrixCopies), activations: 0, scores: 0 },
    arrays: { weights: 2 * largest, states: 0 },
    largest,
  };
}

function attending(layer: LayerPlan, load: Load): Holding {
  const { attention } = layer;
  const { hiddenSize, sequenceTokens: tokens, groupTokens } = load;
  const { queries, keys, values, projected } =
    attention.kind === "gqa" ? groupedWidths(attention) : latentWidths(attention);
  const kvHeads = attention.kind === "gqa" ? attention.kvHeads : attention.queryHeads;
  const queriesPerKey = attention.queryHeads / kvHeads;
  // One block of queries: its mask, and for one kv head the scores before and after each step of the softmax.
  const blockTokens = Math.min(tokens, Math.max(1, Math.floor(scoresMax / (queriesPerKey * tokens))));
  const scores = blockTokens * tokens * (1 + 8 * queriesPerKey);
  const turning = 6 * Math.max(queries, keys);
  const perHead = (2 * queries) / kvHeads + (2 * keys) / kvHeads + values / kvHeads;
  const mixed = 3 * values * queriesPerKey + perHead;
  return {
    tensors: {
      weights: layerValues(layer) * (1 + load.matrixCopies),
      activations: tokens * (4 * hiddenSize + projected + Math.max(turning, mixed)),
      scores,
    },
    arrays: {
      weights:
        load.keepsExperts && layer.feedForward.kind === "moe"
          ? layer.feedForward.experts * expertValues(layer.feedForward)
          : 0,
      states: groupTokens * hiddenSize + tokens * hiddenSize + blockTokens * tokens,
    },
    largest: Math.max(tokens * Math.max(hiddenSize, queries, keys, values), queriesPerKey * blockTokens * tokens),
  };
}

/** Values per token: queries, keys and values as they are attended with, and all that is held until they are. */
function groupedWidths({ queryHeads, kvHeads, headDim }: GqaPlan) {
  const [queries, keys] = [queryHeads * headDim, kvHeads * headDim];
  return { queries, keys, values: keys, projected: 4 * queries + 6 * keys + headDim };
}

function latentWidths(plan: MlaPlan) {
  const { queryHeads, nopeHeadDim, ropeHeadDim, valueHeadDim, kvLoraRank } = plan;
  const queries = queryHeads * (nopeHeadDim + ropeHeadDim);
  const expanded = queryHeads * (nopeHeadDim + valueHeadDim);
  const latents = 2 * (plan.queryDown?.linear.outputWidth ?? 0) + 3 * (kvLoraRank + ropeHeadDim);
  return { queries, keys: queries, values: queryHeads * valueHeadDim, projected: 5 * queries + 3 * expanded + latents };
}

/** Values that a gated network holds for a token between its input and its output: both halves, and the activation's steps. */
const gatedValues = (width: number, { activation }: { readonly activation: DensePlan["activation"] }) =>
  width * (activation === "silu" ? 7 : 13);

function running(layer: LayerPlan, plan: DensePlan, load: Load): Holding {
  const { hiddenSize, groupTokens } = load;
  return {
    tensors: {
      weights: layerValues(layer) * (1 + load.matrixCopies),
      activations: groupTokens * Math.max(4 * hiddenSize, 2 * hiddenSize + gatedValues(plan.gate.outputWidth, plan)),
      scores: 0,
    },
    arrays: { weights: 0, states: 2 * groupTokens * hiddenSize },
    largest: groupTokens * Math.max(hiddenSize, plan.gate.outputWidth),
  };
}

/** Norm, router, shared experts, and the routed experts one at a time, each some rows at a time. */
function mixing(layer: LayerPlan, plan: MoePlan, load: Load): Holding[] {
  const { hiddenSize: hidden, groupTokens: tokens, matrixCopies } = load;
  // Every token might choose the same expert.
  const rows = Math.min(tokens, expertRowsMax);
  const layerWeights = layerValues(layer) * (1 + matrixCopies);
  const kept = load.keepsExperts ? plan.experts * expertValues(plan) : 0;
  const holding = (activations: number, states: number, expert = { tensors: 0, arrays: 0 }): Holding => ({
    tensors: { weights: layerWeights + expert.tensors, activations, scores: 0 },
    arrays: { weights: kept + expert.arrays, states },
    largest: Math.max(
      tokens * Math.max(hidden, plan.experts, plan.shared?.gate.outputWidth ?? 0),
      2 * rows * plan.expertWidth,
      2 * hidden * plan.expertWidth,
    ),
  });
  const stages = [
    holding(tokens * 4 * hidden, tokens * hidden),
    holding(tokens * (hidden + plan.experts), tokens * (hidden + 2 * plan.experts)),
  ];
  if (!load.runsExperts) return stages;
  const routed = plan.experts + 4 * plan.topK;
  if (plan.shared !== null)
    stages.push(
      holding(
        tokens * (3 * hidden + gatedValues(plan.shared.gate.outputWidth, plan.shared)),
        tokens * (2 * hidden + routed),
      ),
    );
  // The expert that runs, the next one that is read meanwhile, and one of its matrices as it is stored.
  const expert = { tensors: expertValues(plan) * (1 + matrixCopies), arrays: 2.5 * expertValues(plan) };
  const activations = tokens * hidden + rows * (3 * hidden + gatedValues(plan.expertWidth, plan));
  stages.push(holding(activations, tokens * (2 * hidden + routed) + rows * 2 * hidden, expert));
  return stages;
}
