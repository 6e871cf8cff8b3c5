import type { Attention } from "./spec.ts";

/** Values of a token that scores take, and that they give. */
export function scoreValues(attention: Attention): readonly [there: number, back: number] {
  if (attention.kind === "gqa") {
    const { queryHeads, kvHeads, headDim, valueHeadDim = headDim, sharedCache } = attention;
    const own = sharedCache === true ? 0 : kvHeads * (headDim + valueHeadDim);
    return [queryHeads * headDim + own, queryHeads * valueHeadDim];
  }
  if (attention.kind === "mla") {
    const { queryHeads, kvLoraRank, ropeHeadDim } = attention;
    return [(queryHeads + 1) * (kvLoraRank + ropeHeadDim), queryHeads * kvLoraRank];
  }
  return [0, 0];
}
