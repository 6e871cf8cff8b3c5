import type { Family } from "./families.ts";

/** Norms of a layer, and with hyper-connections the weights that mix its residual streams before each sublayer. */
export function normParameters(norms: Family["norms"], hiddenSize: number, sublayers: number, streams: number): number {
  const vectors = (norms.perLayer / 2) * sublayers * (norms.bias ? 2 : 1);
  if (streams === 1) return vectors * hiddenSize;
  const mixes = (2 + streams) * streams;
  return vectors * hiddenSize + sublayers * (mixes * streams * hiddenSize + mixes + 3);
}
