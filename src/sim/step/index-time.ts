import type { IndexScoresOp } from "../../hardware/op.ts";
import type { MlaAttention } from "../../models/spec.ts";
import type { RankBatch } from "./batch.ts";
import type { OpTimer } from "./served-kernels.ts";

/**
 * Time of an indexer, ns: it scores every key and selects the best, for prompts and for decodes in launches of their
 * own. Quadratic in a prompt, linear in the context of a decode. `full` is the window of the whole context;
 * `entriesPerToken` is below one where keys are compressed.
 */
export function indexTime(
  cost: OpTimer,
  { heads, headDim }: NonNullable<MlaAttention["indexer"]>,
  full: number,
  entriesPerToken: number,
): (batch: RankBatch) => number {
  const op: IndexScoresOp = { kind: "indexScores", scorePairs: 0, cacheTokens: 0, heads, headDim };
  const ns = (pairs: number, keys: number): number => {
    op.scorePairs = pairs * entriesPerToken;
    op.cacheTokens = keys * entriesPerToken;
    return cost.opNs(op);
  };
  return (batch) =>
    ns(batch.prefillPairs[full]!, batch.prefillKeys[full]!) + ns(batch.decodePairs[full]!, batch.decodeKeys[full]!);
}
