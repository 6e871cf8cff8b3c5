import { aliases } from "./aliases.ts";
import { checkRest, compressedRopeDim, compressionRatios } from "./compressed-keys.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { MlaAttention } from "./spec.ts";

const path = "layers[].attention";
const rankMax = 1048576;
const headsMax = 65536;

/** The keys of DSA's indexer (DeepSeek-V3.2), or null where the model has none. */
function readIndexer(reader: ConfigReader): MlaAttention["indexer"] {
  const keys = ["index_n_heads", "index_head_dim", "index_topk"];
  if (keys.every((key) => reader.raw(key) === undefined)) return null;
  return {
    heads: reader.count(`${path}.indexer.heads`, ["index_n_heads"], { max: headsMax }),
    headDim: reader.count(`${path}.indexer.headDim`, ["index_head_dim"], { max: headsMax }),
    topTokens: reader.count(`${path}.indexer.topTokens`, ["index_topk"]),
  };
}

function readQueryRank(reader: ConfigReader): number | null {
  if (reader.first(aliases.queryLoraRank) !== null)
    return reader.count(`${path}.queryLoraRank`, aliases.queryLoraRank, { max: rankMax });
  reader.record(`${path}.queryLoraRank`, "q_lora_rank absent or null: queries are projected directly", null);
  return null;
}

/** Whether the outputs of each head are gated by one value (Ling 3). */
function readHeadGate(reader: ConfigReader): boolean {
  const granularity = reader.text(["gated_attention_proj_granularity_type"]);
  if (granularity === null) return false;
  if (granularity !== "head_wise")
    reader.problem("gated_attention_proj_granularity_type", "head_wise: a gate of one value a head", granularity);
  reader.record(`${path}.headGate`, "gated_attention_proj_granularity_type", true);
  return true;
}

/** Multi-head latent attention, one entry per layer. Layers differ only where some share an earlier layer's indexer. */
export function latentAttention(reader: ConfigReader, layerCount: number): readonly MlaAttention[] {
  for (const key of ["head_dim", "num_key_value_heads", "index_topk_freq", "index_topk_pattern"]) reader.raw(key);
  reader.raw("index_skip_topk_offset");
  reader.unsupported({ attention_bias: "a bias in latent attention" });
  const queryHeads = reader.count(`${path}.queryHeads`, aliases.queryHeads, { max: headsMax });
  const queryLoraRank = readQueryRank(reader);
  const kvLoraRank = reader.count(`${path}.kvLoraRank`, aliases.kvLoraRank, { max: rankMax });
  const nopeHeadDim = reader.count(`${path}.nopeHeadDim`, aliases.nopeHeadDim, { max: headsMax });
  const ropeHeadDim = reader.count(`${path}.ropeHeadDim`, aliases.ropeHeadDim, { min: 0, max: headsMax });
  const valueHeadDim = reader.count(`${path}.valueHeadDim`, aliases.valueHeadDim, { max: headsMax });
  for (const key of ["qk_head_dim", "q_head_dim"]) {
    const whole = reader.raw(key);
    if (whole !== undefined && whole !== nopeHeadDim + ropeHeadDim)
      reader.problem(key, `qk_nope_head_dim + qk_rope_head_dim = ${nopeHeadDim + ropeHeadDim}`, whole);
  }
  const outputGate = reader.flag(`${path}.outputGate`, ["mla_use_output_gate"], { value: false, rule: "absent" });
  const headGate = readHeadGate(reader);
  const indexer = readIndexer(reader);
  const sharing = reader.perLayer("indexer_types", layerCount);

  return Array.from({ length: layerCount }, (_, layerIndex): MlaAttention => {
    const shared = indexer !== null && sharing?.[layerIndex] === "shared";
    return {
      kind: "mla",
      queryHeads,
      queryLoraRank,
      kvLoraRank,
      nopeHeadDim,
      ropeHeadDim,
      valueHeadDim,
      indexer,
      ...(shared ? { indexerShared: true } : {}),
      ...(outputGate ? { outputGate } : {}),
      ...(headGate ? { headGate } : {}),
      // Norms of both compressions; the indexer's key norm has a weight and a bias.
      smallParameters: (queryLoraRank ?? 0) + kvLoraRank + (indexer === null || shared ? 0 : 2 * indexer.headDim),
    };
  });
}

/**
 * Compressed attention of DeepSeek-V4: one shared key-value head, a window of recent tokens, and beyond it one cached
 * entry per 4 tokens (selected by an indexer) or per 128 (all attended), by layer.
 */
export function compressedAttention(
  reader: ConfigReader,
  hiddenSize: number,
  layerCount: number,
): readonly MlaAttention[] {
  reader.unsupported({ attention_bias: "a bias in compressed attention" });
  const queryHeads = reader.count(`${path}.queryHeads`, aliases.queryHeads, { max: headsMax });
  const kvHeads = reader.count(`${path}.kvHeads`, aliases.kvHeads, { max: headsMax });
  if (kvHeads !== 1) reader.problem("num_key_value_heads", "1, the head shared by all queries", kvHeads);
  const headDim = reader.count(`${path}.headDim`, ["head_dim"], { max: headsMax });
  const ropeHeadDim = compressedRopeDim(reader, headDim);
  checkRest(reader, headDim, ropeHeadDim);
  if (ropeHeadDim >= headDim) reader.problem("qk_rope_head_dim", `less than head_dim ${headDim}`, ropeHeadDim);
  const queryLoraRank = reader.count(`${path}.queryLoraRank`, ["q_lora_rank"], { max: rankMax });
  const outputRank = reader.count(`${path}.outputLoraRank`, ["o_lora_rank"], { max: rankMax });
  const outputGroups = reader.count(`${path}.outputGroups`, ["o_groups"], { max: headsMax });
  const windowTokens = reader.count(`${path}.windowTokens`, aliases.windowTokens);
  const indexer = readIndexer(reader);
  if (indexer === null) reader.problem("index_topk", "the keys of the indexer");
  const ratios = compressionRatios(reader, layerCount);
  reader.record(`${path}.compressed.ratio`, "compress_ratios", layerCount);

  return Array.from({ length: layerCount }, (_, layerIndex): MlaAttention => {
    const ratio = ratios?.[layerIndex] ?? 0;
    if (typeof ratio !== "number" || !Number.isInteger(ratio) || ratio < 0 || ratio > 1048576) {
      reader.problem(`compress_ratios[${layerIndex}]`, "0 or the tokens per cached entry", ratio);
    }
    const tokens = typeof ratio === "number" ? ratio : 0;
    const selected = tokens === 4 ? indexer : null;
    // A compressor projects to entries and gates; at ratio 4 neighbouring blocks overlap, which doubles both.
    const overlap = tokens === 4 ? 2 : 1;
    const compressor = (width: number): number => (tokens === 0 ? 0 : 2 * hiddenSize * overlap * width);
    const attended = queryHeads * headDim;
    return {
      kind: "mla",
      queryHeads,
      queryLoraRank,
      kvLoraRank: headDim - ropeHeadDim,
      nopeHeadDim: headDim - ropeHeadDim,
      ropeHeadDim,
      valueHeadDim: headDim,
      indexer: selected,
      compressed: {
        ratio: tokens,
        windowTokens,
        projectionParameters:
          hiddenSize * queryLoraRank +
          queryLoraRank * attended +
          hiddenSize * headDim +
          attended * outputRank +
          outputGroups * outputRank * hiddenSize +
          compressor(headDim) +
          (selected === null
            ? 0
            : queryLoraRank * selected.heads * selected.headDim +
              hiddenSize * selected.heads +
              compressor(selected.headDim)),
      },
      smallParameters: queryHeads + queryLoraRank + headDim + (tokens === 0 ? 0 : headDim + tokens * overlap * headDim),
    };
  });
}
