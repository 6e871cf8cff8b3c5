import { storageFormats } from "../../../core/dtype.ts";
import type { AttentionOp } from "../../../hardware/op.ts";
import type { KernelTable } from "../kernel-table.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { commonAt, commonColumns, formatAt, samplesOf } from "./columns.ts";

/**
 * Sequences, new tokens and cached tokens of a row. In prefill `isl` new tokens follow `step` cached ones; in decode
 * one new token follows `step` cached ones.
 */
export function batchAt(table: KernelTable, row: number) {
  const sequences = table.positive(row, "batch_size");
  const tokens = table.positive(row, "isl");
  const cached = table.count(row, "step");
  return sequences === null || tokens === null || cached === null ? null : { sequences, tokens, cached };
}

/** Keys that the tokens at positions [cached, cached + tokens) see, each at most `window`. */
export function visiblePairs(cached: number, tokens: number, window: number): number {
  const upTo = (n: number) => (n <= window ? (n * (n + 1)) / 2 : (window * (window + 1)) / 2 + (n - window) * window);
  return upTo(cached + tokens) - upTo(cached);
}

/** Phase by the name of the operation: `context_...` is prefill, `generation_...` decode. */
export function phaseAt(table: KernelTable, row: number): AttentionOp["kind"] | null {
  const name = table.text(row, "op_name");
  if (name === null) return null;
  if (/context/.test(name)) return "attentionPrefill";
  if (/generation/.test(name)) return "attentionDecode";
  return table.wrong(row, "op_name", "the name of a context or a generation kernel", name);
}

/** Attention over whole keys and values, full or in a sliding window (AIConfigurator `*_attention_perf`). */
export const attentionTable: KernelTableReader = {
  name: "attention",
  columns: [
    ...commonColumns,
    "batch_size",
    "isl",
    "num_heads",
    "num_key_value_heads",
    "head_dim",
    "attn_dtype",
    "kv_cache_dtype",
    "step",
  ],
  read: (table) =>
    samplesOf(table, (row) => {
      const common = commonAt(table, row);
      const kind = phaseAt(table, row);
      const batch = batchAt(table, row);
      const heads = table.positive(row, "num_heads");
      const kvHeads = table.positive(row, "num_key_value_heads");
      const headDim = table.positive(row, "head_dim");
      const cacheFormat = formatAt(table, row, "kv_cache_dtype");
      const windowCell = table.has("window_size") ? table.count(row, "window_size") : 0;
      if (common === null || kind === null || batch === null || heads === null) return null;
      if (kvHeads === null || headDim === null || cacheFormat === null || windowCell === null) return null;
      const window = windowCell === 0 ? Number.POSITIVE_INFINITY : windowCell;
      const { sequences, tokens, cached } = batch;
      return {
        ...common,
        family: kind,
        op: {
          kind,
          sequences,
          queryTokens: sequences * tokens,
          scorePairs: sequences * visiblePairs(cached, tokens, window),
          cacheTokens: sequences * Math.min(cached + tokens, window + tokens - 1),
          heads,
          kvHeads,
          latent: false,
          widthPerPair: 2 * headDim,
          cacheBytesPerToken: (2 * kvHeads * headDim * storageFormats[cacheFormat].bitsPerValue) / 8,
          cacheFormat,
          math: "bf16",
        },
        shape: `${cacheFormat} h${heads} kv${kvHeads} d${headDim} w${windowCell}`,
      };
    }),
};
