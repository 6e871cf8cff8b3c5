import type { Attention, GqaAttention, MlaAttention } from "../../models/spec.ts";

/** Most keys that a query attends to: its sliding window, or the keys that block-sparse attention selects. */
export function keyWindow(spec: GqaAttention): number {
  return Math.min(spec.windowTokens ?? Number.POSITIVE_INFINITY, spec.topTokens ?? Number.POSITIVE_INFINITY);
}

/** Tokens of context that the selected entries of a compressed cache stand for. */
export function selectedSpan(spec: MlaAttention): number {
  const ratio = spec.compressed?.ratio ?? 0;
  return spec.indexer === null || ratio === 0 ? Number.POSITIVE_INFINITY : spec.indexer.topTokens * ratio;
}

/** Distinct key windows of the attention layers, for {@link RankBatch}. */
export function attentionWindows(attentions: readonly Attention[]): Float64Array {
  const windows = new Set<number>([Number.POSITIVE_INFINITY]);
  for (const attention of attentions) {
    if (attention.kind === "gqa") windows.add(keyWindow(attention));
    if (attention.kind === "mla") {
      const { compressed, indexer } = attention;
      if (compressed !== undefined) {
        windows.add(compressed.windowTokens);
        windows.add(selectedSpan(attention));
      } else if (indexer !== null) windows.add(indexer.topTokens);
    }
  }
  return Float64Array.from([...windows].sort((a, b) => a - b));
}
