import { routableExperts } from "../expert-choices.ts";
import { attentionMatrices, expertMatrices } from "../parameters.ts";
import type { Attention, FeedForward, ModelSpec, TensorClass } from "../spec.ts";

/** A product's weights in a layer, or the head or embedding, with the names that checkpoints give it. */
export interface Module {
  readonly tensorClass: Exclude<TensorClass, "norm">;
  /** null outside the layers. */
  readonly layer: number | null;
  readonly values: number;
  /** Paths without what stands before the layers, the usual one first. */
  readonly paths: readonly string[];
}

/** Part of a layer: its weights and its names. */
type Part = readonly [values: number, ...paths: string[]];

const under = (blocks: readonly string[], ...leaves: readonly string[]): string[] =>
  blocks.flatMap((block) => leaves.map((leaf) => `${block}.${leaf}`));

const attentionBlocks = ["self_attn", "attn", "attention", "self_attention", "mixer"];
const networkBlocks = ["mlp", "feed_forward", "ffn", "block_sparse_moe", "moe", "mixer"];
/** Dense networks beside the experts of a layer: one, or the two of LongCat-Flash. */
const besideBlocks = [...networkBlocks, "mlps", "mlps.0", "mlps.1"];

/** Projections of token mixing. What a formula of the class does not split goes to the last part. */
function mixingParts(attention: Attention, hidden: number): readonly Part[] {
  const named = (...leaves: readonly string[]): string[] => under(attentionBlocks, ...leaves);
  const total = attentionMatrices(attention, hidden);
  const withRest = (parts: readonly Part[], ...rest: readonly string[]): readonly Part[] => {
    const left = parts.reduce((sum, [values]) => sum - values, total);
    return left > 0 ? [...parts, [left, ...named(...rest)]] : parts;
  };
  switch (attention.kind) {
    case "gqa": {
      const { queryHeads, headDim, outputGate, keyIsValue, queryRank } = attention;
      const kvHeads = attention.sharedCache === true ? 0 : attention.kvHeads;
      const valueHeadDim = attention.valueHeadDim ?? headDim;
      const values = keyIsValue === true ? 0 : hidden * kvHeads * valueHeadDim;
      const queries = queryHeads * headDim;
      const projected = queryRank === undefined ? hidden * queries : queryRank * (hidden + queries);
      const gate = outputGate ? hidden * queryHeads * valueHeadDim : 0;
      return withRest(
        [
          [projected + gate, ...named("q_proj", "qkv_proj", "wq", "inter_proj")],
          [hidden * kvHeads * headDim, ...named("k_proj", "qkv_proj")],
          [values, ...named("v_proj", "qkv_proj")],
        ],
        "o_proj",
        "out_proj",
      );
    }
    case "mla": {
      const { queryHeads, queryLoraRank, kvLoraRank, nopeHeadDim, ropeHeadDim, valueHeadDim, indexer } = attention;
      const rank = queryLoraRank ?? hidden;
      const width = nopeHeadDim + ropeHeadDim;
      const fused = "fused_qkv_a_proj_with_mqa";
      const indexed: readonly Part[] =
        indexer === null || attention.indexerShared === true
          ? []
          : [
              [rank * indexer.heads * indexer.headDim, ...named("indexer.wq_b")],
              [hidden * indexer.headDim, ...named("indexer.wk")],
              [hidden * indexer.heads, ...named("indexer.weights_proj", "indexers_proj")],
            ];
      if (attention.compressed !== undefined) {
        const overlap = attention.compressed.ratio === 4 ? 2 : 1;
        const compressed = attention.compressed.ratio === 0 ? 0 : 2 * hidden * overlap;
        return withRest(
          [
            [hidden * rank, ...named("wq_a", "fused_wqa_wkv", "q_a_proj")],
            [rank * queryHeads * width, ...named("wq_b", "q_b_proj")],
            [hidden * width, ...named("wkv", "fused_wqa_wkv", "kv_proj")],
            [compressed * width, ...named("compressor.wkv", "compressor.fused_wkv_wgate", "compressor.kv_proj")],
            ...indexed.filter((_, index) => index !== 1),
            ...(indexer === null
              ? []
              : [
                  [
                    compressed * indexer.headDim,
                    ...named("indexer.compressor.wkv", "indexer.compressor.kv_proj"),
                  ] as const,
                ]),
          ],
          "wo_b",
          "wo_a",
          "o_proj",
        );
      }
      const queries: readonly Part[] =
        queryLoraRank === null
          ? [[hidden * queryHeads * width, ...named("q_proj")]]
          : [
              [hidden * queryLoraRank, ...named("q_a_proj", fused)],
              [queryLoraRank * queryHeads * width, ...named("q_b_proj")],
            ];
      return withRest(
        [
          ...queries,
          [hidden * (kvLoraRank + ropeHeadDim), ...named("kv_a_proj_with_mqa", fused)],
          [kvLoraRank * queryHeads * (nopeHeadDim + valueHeadDim), ...named("kv_b_proj")],
          ...indexed,
        ],
        "o_proj",
      );
    }
    case "linear": {
      const { scan } = attention;
      const blocks = ["linear_attn", "mixer", "mamba", "self_attn", "attn", "conv"];
      const outputs = Math.min(total, scan.heads * scan.valueDim * hidden);
      return [
        [outputs, ...under(blocks, "out_proj", "o_proj")],
        [
          total - outputs,
          ...under(blocks, "in_proj", "in_proj_qkv", "in_proj_qkvz", "in_proj_z", "q_proj", "qkv_proj", "output_gate"),
        ],
      ];
    }
    case "none":
      return [];
  }
}

const gates = ["gate_proj", "gate_up_proj", "w1"];
const ups = ["up_proj", "gate_up_proj", "w3"];
const downs = ["down_proj", "w2"];

function networkParts(values: number, matrices: number, blocks: readonly string[]): readonly Part[] {
  if (values === 0) return [];
  const each = values / matrices;
  const plain: readonly Part[] = [
    [each, ...under(blocks, ...ups)],
    [each, ...under(blocks, ...downs)],
  ];
  return matrices === 2 ? plain : [[each, ...under(blocks, ...gates)], ...plain];
}

type LayerPart = readonly [tensorClass: Module["tensorClass"], part: Part];

/** Parts of a feed-forward network. With `each` experts are apart, else those of a layer are one part. */
function feedForwardParts(feedForward: FeedForward, hidden: number, each: boolean): readonly LayerPart[] {
  const of = (tensorClass: Module["tensorClass"], parts: readonly Part[]): readonly LayerPart[] =>
    parts.map((part) => [tensorClass, part] as const);
  if (feedForward.kind === "none") return [];
  if (feedForward.kind === "dense")
    return of(
      "dense",
      networkParts(feedForward.matrices * hidden * feedForward.width, feedForward.matrices, networkBlocks),
    );
  const { matrices, sharedWidth, sharedGate, expertHidden, denseWidth, experts } = feedForward;
  // Beside a dense network of the layer, which is the mlp, experts have a block of their own.
  const blocks = denseWidth > 0 ? networkBlocks.slice(1) : networkBlocks;
  const lists = [...under(blocks, "experts", "switch_mlp"), "experts"];
  const shared = [...under(blocks, "shared_expert", "shared_experts"), "shared_mlp", "shared_expert", "share_expert"];
  const sharedIndex = each ? Array.from({ length: experts }, (_, expert) => `.${expert}`) : [""];
  return [
    ...sharedIndex.flatMap((index) =>
      of(
        "experts",
        networkParts(
          (experts / sharedIndex.length) * expertMatrices(feedForward),
          matrices,
          index === "" ? [...lists.map((list) => `${list}.0`), ...lists] : lists.map((list) => list + index),
        ),
      ),
    ),
    ...of("shared", networkParts(matrices * hidden * sharedWidth, matrices, shared)),
    ...of("shared", sharedGate && sharedWidth > 0 ? [[hidden, ...under(blocks, "shared_expert_gate")]] : []),
    ...of(
      "shared",
      expertHidden === hidden
        ? []
        : [
            [hidden * expertHidden, ...under(blocks, "fc1_latent_proj")],
            [hidden * expertHidden, ...under(blocks, "fc2_latent_proj")],
          ],
    ),
    ...of("dense", networkParts(matrices * hidden * denseWidth, matrices, besideBlocks)),
    ...of("router", [
      [hidden * routableExperts(feedForward), ...under(blocks, "gate", "router"), "router", "router.proj"],
    ]),
  ];
}

type Template = Omit<Module, "layer">;

const templates = (parts: readonly LayerPart[]): readonly Template[] =>
  parts
    .filter(([, [values]]) => values > 0)
    .map(([tensorClass, [values, ...paths]]) => ({ tensorClass, values, paths }));

/** All matrices of a model. With `eachExpert` every routed expert has modules of its own. */
export function modulesOf(
  spec: Pick<ModelSpec, "layers" | "hiddenSize" | "vocabSize" | "tiedEmbeddings">,
  eachExpert: boolean,
): readonly Module[] {
  const { hiddenSize, vocabSize, tiedEmbeddings } = spec;
  const vocabulary = hiddenSize * vocabSize;
  const outside: Module[] = [
    {
      tensorClass: "embedding",
      layer: null,
      values: vocabulary,
      paths: ["embed_tokens", "embeddings", "embed", "wte"],
    },
    ...(tiedEmbeddings
      ? []
      : [{ tensorClass: "head", layer: null, values: vocabulary, paths: ["lm_head", "head", "output"] } as const]),
  ];
  // Layers of one shape share their parts, and the lists of names in them.
  const mixing = new Map<Attention, readonly Template[]>();
  const networks = new Map<FeedForward, readonly Template[]>();
  const inside = spec.layers.flatMap(({ attention, feedForward }, layer): Module[] => {
    const ofMixing =
      mixing.get(attention) ??
      templates(mixingParts(attention, hiddenSize).map((part) => ["attention", part] as const));
    mixing.set(attention, ofMixing);
    const ofNetwork = networks.get(feedForward) ?? templates(feedForwardParts(feedForward, hiddenSize, eachExpert));
    networks.set(feedForward, ofNetwork);
    return [...ofMixing, ...ofNetwork].map((template) => ({ ...template, layer }));
  });
  return [...outside, ...inside];
}
