import type { DensePlan, GqaPlan, LayerPlan, LinearPlan, MlaPlan } from "../decoder/plan.ts";

/** Matrix products of one shape, [rows, inner] x [inner, columns], and how many of them there are; sizes and counts may be means. */
export interface MatmulWork {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly count: number;
}

/** Floating-point operations of products: two per multiply-add. */
export const matmulFlops = (work: readonly MatmulWork[]): number =>
  work.reduce((sum, { rows, inner, columns, count }) => sum + 2 * rows * inner * columns * count, 0);

/**
 * Products that a layer executes for sequences that begin at `starts`, in `groups` groups. Where experts are not run, the
 * router is all of its feed-forward network. Sequences of all lengths stand as some of one length, which have the same
 * number of tokens and of pairs of tokens.
 */
export function layerWork(layer: LayerPlan, starts: Uint32Array, groups: number, runsExperts: boolean): MatmulWork[] {
  const tokens = starts.at(-1)!;
  let pairs = 0;
  for (let s = 0; s + 1 < starts.length; s++) pairs += (starts[s + 1]! - starts[s]!) ** 2;
  const { feedForward } = layer;
  const ofGroup =
    feedForward.kind === "moe" && !runsExperts
      ? [linearWork(feedForward.gate, tokens / groups)]
      : feedForwardWork(layer, tokens / groups);
  return [...repeated(attentionWork(layer, pairs / tokens), (tokens * tokens) / pairs), ...repeated(ofGroup, groups)];
}

const repeated = (work: readonly MatmulWork[], times: number): MatmulWork[] =>
  work.map((one) => ({ ...one, count: one.count * times }));

/** Products of a layer's attention on a sequence of `tokens` tokens. Scores of all pairs are computed, hidden ones too. */
function attentionWork({ attention }: LayerPlan, tokens: number): MatmulWork[] {
  const { queryHeads } = attention;
  const [keyDim, valueDim] =
    attention.kind === "gqa"
      ? [attention.headDim, attention.headDim]
      : [attention.nopeHeadDim + attention.ropeHeadDim, attention.valueHeadDim];
  return [
    ...attentionLinears(attention).map((linear) => linearWork(linear, tokens)),
    { rows: tokens, inner: keyDim, columns: tokens, count: queryHeads },
    { rows: tokens, inner: tokens, columns: valueDim, count: queryHeads },
  ];
}

/** Products of a layer's feed-forward network on `tokens` tokens, spread evenly over the experts. */
function feedForwardWork({ feedForward }: LayerPlan, tokens: number): MatmulWork[] {
  if (feedForward.kind === "dense") return denseWork(feedForward, tokens);
  const { experts, topK, gate, expertWidth, shared, sharedGate } = feedForward;
  const count = Math.min(experts, tokens * topK);
  const rows = (tokens * topK) / count;
  return [
    linearWork(gate, tokens),
    { rows, inner: gate.inputWidth, columns: 2 * expertWidth, count },
    { rows, inner: expertWidth, columns: gate.inputWidth, count },
    ...(shared === null ? [] : denseWork(shared, tokens)),
    ...(sharedGate === null ? [] : [linearWork(sharedGate, tokens)]),
  ];
}

export function attentionLinears(attention: GqaPlan | MlaPlan): readonly LinearPlan[] {
  if (attention.kind === "gqa") return [attention.query, attention.key, attention.value, attention.output];
  const { queryDown, queryUp, kvDown, kvUp, output } = attention;
  return [...(queryDown === null ? [] : [queryDown.linear]), queryUp, kvDown, kvUp, output];
}

function denseWork({ gate, up, down }: DensePlan, tokens: number): MatmulWork[] {
  return [gate, up, down].map((linear) => linearWork(linear, tokens));
}

function linearWork({ inputWidth, outputWidth }: LinearPlan, tokens: number): MatmulWork {
  return { rows: tokens, inner: inputWidth, columns: outputWidth, count: 1 };
}
