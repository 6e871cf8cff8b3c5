import { storageFormats } from "../../../core/dtype.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { batchAt, phaseAt, visiblePairs } from "./attention.ts";
import { commonAt, commonColumns, formatAt, samplesOf } from "./columns.ts";

/** DeepSeek-V3 (arXiv 2412.19437), the only latent attention measured: 512 compressed and 64 rotary values per token. */
const rank = 512;
const rope = 64;
/** Query and key width 128 + 64, value width 128 of the expanded heads. */
const expandedWidth = 128 + rope + 128;

/** Multi-head latent attention (AIConfigurator `*_mla_perf`); `num_heads` counts those of one rank. */
export const latentAttentionTable: KernelTableReader = {
  name: "latent attention",
  columns: [...commonColumns, "mla_dtype", "kv_cache_dtype", "num_heads", "batch_size", "isl", "step"],
  read: (table) =>
    samplesOf(table, (row) => {
      const common = commonAt(table, row);
      const kind = phaseAt(table, row);
      const batch = batchAt(table, row);
      const heads = table.positive(row, "num_heads");
      const cacheFormat = formatAt(table, row, "kv_cache_dtype");
      if (common === null || kind === null || batch === null || heads === null || cacheFormat === null) return null;
      const { sequences, tokens, cached } = batch;
      return {
        ...common,
        family: kind === "attentionPrefill" ? "latentPrefill" : "latentDecode",
        op: {
          kind,
          sequences,
          queryTokens: sequences * tokens,
          scorePairs: sequences * visiblePairs(cached, tokens, Number.POSITIVE_INFINITY),
          cacheTokens: sequences * (cached + tokens),
          heads,
          kvHeads: 1,
          latent: true,
          widthPerPair: kind === "attentionPrefill" ? expandedWidth : 2 * rank + rope,
          cacheBytesPerToken: ((rank + rope) * storageFormats[cacheFormat].bitsPerValue) / 8,
          cacheFormat,
          math: "bf16",
        },
        // Few head counts are measured: whole diagonals of the grid are held out instead.
        shape: `${cacheFormat} h${heads} b${sequences}`,
      };
    }),
};
