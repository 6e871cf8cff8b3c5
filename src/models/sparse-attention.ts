import type { Json } from "../core/json.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Attention } from "./spec.ts";

const path = "layers[].attention";

/**
 * Block-sparse attention (MiniMax-M3): in the layers that `sparse_attention_freq` marks, or in all, a query attends the
 * blocks whose keys score highest against an index query of few heads. Other layers attend everything.
 */
export function blockSparse(
  reader: ConfigReader,
  hiddenSize: number,
  attentions: readonly Attention[],
): readonly Attention[] {
  const sparse = reader.nested("sparse_attention_config");
  if (sparse === null) return attentions;
  if (sparse.raw("use_sparse_attention") === false) {
    sparse.skip(sparse.keys());
    return attentions;
  }
  const blocks = sparse.count(`${path}.topBlocks`, ["sparse_topk_blocks"]);
  const blockTokens = sparse.count(`${path}.blockTokens`, ["sparse_block_size"]);
  const dims = { min: 0, max: 65536, fallback: { value: 0, rule: "absent" } };
  const indexHeads = sparse.count(`${path}.indexHeads`, ["sparse_num_index_heads"], dims);
  const indexDim = sparse.count(`${path}.indexDim`, ["sparse_index_dim"], dims);
  const marked = sparse.perLayer("sparse_attention_freq", attentions.length);
  // First and local blocks are among the chosen ones; how blocks are scored changes no shape.
  for (const key of ["sparse_init_block", "sparse_local_block", "sparse_score_type"]) sparse.raw(key);
  onlyIndexKeys(sparse, attentions.length, marked);
  sparse.assume("the choice of blocks by block-sparse attention takes no time of its own");
  return attentions.map((attention, layerIndex) => {
    if (attention.kind !== "gqa" || (marked !== null && marked[layerIndex] !== 1)) return attention;
    // Index queries of a few heads and one index key, each with a norm.
    const index = indexHeads === 0 ? 0 : hiddenSize * (indexHeads + 1) * indexDim + 2 * indexDim;
    return {
      ...attention,
      topTokens: blocks * blockTokens,
      smallParameters: attention.smallParameters + index,
    };
  });
}

/** Index values would be summed too; they are not expressed. */
function onlyIndexKeys(sparse: ConfigReader, layerCount: number, marked: readonly Json[] | null): void {
  const key = "sparse_disable_index_value";
  const disabled = sparse.perLayer(key, layerCount);
  if (disabled === null) return;
  const layer = disabled.findIndex((off, index) => off !== 1 && (marked === null || marked[index] === 1));
  if (layer >= 0) sparse.problem(`${key}[${layer}]`, "1: index values are not supported", disabled[layer]);
}
