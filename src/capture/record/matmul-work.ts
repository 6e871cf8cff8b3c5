import type { DensePlan, GqaPlan, LayerPlan, LinearPlan, MlaPlan, MoePlan } from "../decoder/plan.ts";

/** Matrix products of one shape, [rows, inner] x [inner, columns], and how many of them there are. */
export interface MatmulWork {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly count: number;
}

/** Floating-point operations of products: two per multiply-add. */
export const matmulFlops = (work: readonly MatmulWork[]): number =>
  work.reduce((sum, { rows, inner, columns, count }) => sum + 2 * rows * inner * columns * count, 0);

/** Products of a layer's attention on a sequence of `tokens` tokens. Scores of all pairs are computed, hidden ones too. */
export function attentionWork({ attention }: LayerPlan, tokens: number): MatmulWork[] {
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
export function feedForwardWork({ feedForward }: LayerPlan, tokens: number): MatmulWork[] {
  if (feedForward.kind === "dense") return denseWork(feedForward, tokens);
  const { experts, topK, gate, expertWidth, shared, sharedGate } = feedForward;
  const perExpert = Math.ceil((tokens * topK) / experts);
  const active = Math.min(experts, tokens * topK);
  return [
    linearWork(gate, tokens),
    { rows: perExpert, inner: gate.inputWidth, columns: 2 * expertWidth, count: active },
    { rows: perExpert, inner: expertWidth, columns: gate.inputWidth, count: active },
    ...(shared === null ? [] : denseWork(shared, tokens)),
    ...(sharedGate === null ? [] : [linearWork(sharedGate, tokens)]),
  ];
}

/** The router's product alone. */
export const routerWork = ({ gate }: MoePlan, tokens: number): MatmulWork[] => [linearWork(gate, tokens)];

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
