import { z } from "zod";
import { type StorageFormat, storageFormats } from "../core/dtype.ts";
import { catalogueNames } from "../models/catalogue.ts";
import { rangesForm } from "../models/layer-ranges.ts";
import { resolveShape } from "../models/resolve-shape.ts";
import { biasForms, queryKeyNorms, shapeDefaults } from "../models/shape.ts";
import { tensorClasses } from "../models/spec.ts";
import { count, word } from "./quantity.ts";

/** Storage format of tensors. */
export const storageFormat = z.enum(Object.keys(storageFormats) as [StorageFormat, ...StorageFormat[]]);

const heads = count(1, 65536);
const width = count(1, 16777216);
const tokens = count(1, 2147483648);
const exact = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const matrices = z.literal([2, 3]);
const on = z.boolean().optional();

const layers = z
  .union([z.string().min(1).max(10_000), count(0, 4095)], { error: rangesForm })
  .optional()
  .describe(
    "Layers it describes, counted from 0, such as 0-2, 3-47/4 (every fourth) or 0, 5, 9-11; default those left.",
  );

const smallParameters = (what: string) =>
  exact.optional().describe(`Parameters of ${what} of one layer, where the keys above do not give them.`);

const gqa = z
  .strictObject({
    kind: z.literal("gqa"),
    layers,
    queryHeads: heads.describe("Query heads."),
    kvHeads: heads.optional().describe("Key-value heads; default as many as query heads."),
    headDim: heads.optional().describe("Width of a head; default hiddenSize / queryHeads."),
    valueHeadDim: heads.optional().describe("Width of a value head; default headDim."),
    keyIsValue: on.describe("Keys double as values: no value projection."),
    sharedCache: on.describe("The layer reads the keys and values of an earlier one and has no cache of its own."),
    windowTokens: tokens.optional().describe("Keys that a query sees; default the whole context."),
    chunked: on.describe("The window starts anew every windowTokens tokens, instead of sliding."),
    topTokens: tokens.optional().describe("Block-sparse attention: keys attended per query; default all it sees."),
    queryRank: count(1, 1048576)
      .optional()
      .describe("Rank of a query projection in two steps, with a norm between them; default one step."),
    outputGate: z.boolean().default(shapeDefaults.gqa.outputGate).describe("An output gate as wide as the outputs."),
    queryKeyNorm: z
      .enum(queryKeyNorms)
      .default(shapeDefaults.gqa.queryKeyNorm)
      .describe("Norms of queries and keys: over each head, over all heads together, or without weights."),
    bias: z
      .enum(biasForms)
      .default(shapeDefaults.gqa.bias)
      .describe("Projections with a bias: those of queries, keys and values, or the output's too."),
    sinks: z.boolean().default(shapeDefaults.gqa.sinks).describe("A learned sink per query head."),
    smallParameters: smallParameters("biases, norms and sinks"),
  })
  .describe("Grouped-query attention; multi-head attention without kvHeads.");

const mla = z
  .strictObject({
    kind: z.literal("mla"),
    layers,
    queryHeads: heads.describe("Query heads."),
    queryLoraRank: count(1, 1048576).optional().describe("Rank of the query compression; default none."),
    kvLoraRank: count(1, 1048576).describe("Rank of the key-value compression."),
    nopeHeadDim: heads.describe("Width of a key head without its rotary part."),
    ropeHeadDim: count(0, 65536).describe("Width of the rotary part, which all heads share."),
    valueHeadDim: heads.describe("Width of a value head."),
    indexer: z
      .strictObject({
        heads: heads.describe("Heads of the indexer."),
        headDim: heads.describe("Width of a head of the indexer."),
        topTokens: tokens.describe("Keys that it selects per query."),
      })
      .optional()
      .describe("Sparse attention (DSA): what selects the keys of a query; default all keys."),
    indexerShared: on.describe("The layer reuses the selection of an earlier one and has no indexer of its own."),
    outputGate: on.describe("An output gate as wide as the values."),
    headGate: on.describe("An output gate of one value a head."),
    compressed: z
      .strictObject({
        ratio: count(0, 1048576).describe("Tokens per cached entry; 0 where a layer has only its window."),
        windowTokens: tokens.describe("Recent tokens cached one by one."),
        projectionParameters: exact.describe("Weights of all projections of the layer."),
      })
      .optional()
      .describe("A compressed cache beside a window (DeepSeek-V4)."),
    smallParameters: smallParameters("norms"),
  })
  .describe("Multi-head latent attention.");

const linear = z
  .strictObject({
    kind: z.literal("linear"),
    layers,
    projectionParameters: exact.describe("Weights of all projections and convolutions of one layer."),
    stateValues: exact.describe("Values of the recurrent and convolution state per sequence and layer."),
    wholeNorm: on.describe("The norm of its outputs sums over all heads, which tensor-parallel ranks share."),
    stateFormat: storageFormat.optional().describe("Storage format of the state; default that of the KV cache."),
    smallParameters: exact
      .default(shapeDefaults.linear.smallParameters)
      .describe("Parameters of biases, norms and decays of one layer."),
    scan: z
      .strictObject({
        rule: z
          .enum(["delta", "channelDelta", "decay", "selective", "lightning", "convolution"])
          .describe(
            "Gated delta rule, the same with a decay per channel, SSD of Mamba-2, Mamba-1, lightning attention, or a short convolution.",
          ),
        heads: count(1, 16777216).describe("Heads with a state of keyDim x valueDim values each."),
        keyHeads: count(1, 16777216).describe("Heads of keys and queries (B and C of Mamba)."),
        keyDim: heads.describe("Width of a key head (the state size of Mamba)."),
        valueDim: heads.describe("Width of a value head (the head size of Mamba)."),
        chunkTokens: count(1, 65536).describe("Tokens of a chunk."),
        convolved: exact.describe("Channels that pass the short convolution."),
      })
      .describe("How the mixer runs over a prompt."),
  })
  .describe("Linear attention or a state space: a state of constant size instead of a growing cache.");

const none = z
  .strictObject({ kind: z.literal("none"), layers })
  .describe("Nothing: the layer is its other half alone.");

const dense = z
  .strictObject({
    kind: z.literal("dense"),
    layers,
    width: width.describe("Intermediate width."),
    matrices: matrices.default(shapeDefaults.dense.matrices).describe("3 for a gated network, 2 for a plain one."),
  })
  .describe("A dense feed-forward network.");

const router = z.strictObject({
  scoring: z
    .enum(["softmax", "sigmoid", "sqrtsoftplus", "hash"])
    .default(shapeDefaults.router.scoring)
    .describe("How scores come about."),
  normalisesTopK: z
    .boolean()
    .default(shapeDefaults.router.normalisesTopK)
    .describe("The weights of the chosen experts are scaled to a sum of one."),
  bias: z.boolean().default(shapeDefaults.router.bias).describe("A bias per expert in the choice."),
  groups: z
    .strictObject({
      count: count(2, 65536).describe("Groups of experts."),
      kept: count(1, 65536).describe("Groups whose experts may be chosen."),
      topKPerGroup: count(1, 65536).optional().describe("Experts chosen in every kept group; default any number."),
    })
    .optional()
    .describe("Choice limited to groups; default all experts form one."),
});

const moe = z
  .strictObject({
    kind: z.literal("moe"),
    layers,
    experts: count(1, 65536).describe("Routed experts of a layer."),
    topK: count(1, 65536).describe("Experts of a token."),
    zeroExperts: count(1, 65536)
      .optional()
      .describe("Experts beside them that return their input; choices of them count in topK. Default none."),
    expertWidth: width.describe("Intermediate width of one expert."),
    expertHidden: width.optional().describe("Hidden width that the experts work at; default hiddenSize."),
    matrices: matrices.default(shapeDefaults.moe.matrices).describe("3 for gated experts, 2 for plain ones."),
    sharedExperts: count(1, 1024).optional().describe("Shared experts of expertWidth each; not with sharedWidth."),
    sharedWidth: count(0, 16777216).optional().describe("Width of all shared experts together; default none."),
    sharedGate: z.boolean().default(shapeDefaults.moe.sharedGate).describe("A scalar gate on the shared experts."),
    denseWidth: count(0, 16777216)
      .default(shapeDefaults.moe.denseWidth)
      .describe("Width of a dense network beside the experts of the same layer."),
    expertBias: z.boolean().default(shapeDefaults.moe.expertBias).describe("A bias in each matrix of an expert."),
    router: router.prefault({}).describe("How experts are chosen."),
    visits: count(1, 64)
      .default(shapeDefaults.moe.visits)
      .describe("Times a token visits the experts, one after the other (Chain-of-Experts)."),
    visitRouters: z
      .enum(["own", "shared"])
      .default(shapeDefaults.moe.visitRouters)
      .describe("Whether each visit has a router of its own."),
  })
  .describe("A mixture of experts.");

const attention = z.discriminatedUnion("kind", [gqa, mla, linear, none]).meta({ id: "attention", title: "Attention" });
const feedForward = z
  .discriminatedUnion("kind", [moe, dense, none])
  .meta({ id: "feedForward", title: "Feed-forward network" });

/** A model described by hand. */
export const shapeSection = z
  .strictObject({
    name: word()
      .refine((name) => !catalogueNames.includes(name), { error: "a name that no model of the catalogue has" })
      .describe("Name of the model, printed with results."),
    modelType: word()
      .optional()
      .describe("model_type whose recorded routing and measured accuracy stand for this model's; default none."),
    layers: count(1, 4096).describe("Decoder layers."),
    hiddenSize: count(1, 1048576).describe("Width of the residual stream."),
    vocabSize: count(1, 134217728).describe("Tokens of the vocabulary."),
    contextTokensMax: tokens.describe("Longest context."),
    tiedEmbeddings: z
      .boolean()
      .default(shapeDefaults.shape.tiedEmbeddings)
      .describe("The output head is the token embedding."),
    headBias: z.boolean().default(shapeDefaults.shape.headBias).describe("A bias on the output head."),
    mtpLayers: count(0, 64)
      .default(shapeDefaults.shape.mtpLayers)
      .describe("Multi-token-prediction layers, not counted in the parameters."),
    normVectors: count(0, 64)
      .default(shapeDefaults.shape.normVectors)
      .describe("Norms of the hidden size in a layer with attention and a feed-forward network."),
    normBias: z.boolean().default(shapeDefaults.shape.normBias).describe("Norms have a bias (LayerNorm)."),
    residualStreams: count(1, 64)
      .default(shapeDefaults.shape.residualStreams)
      .describe("Residual streams of hyper-connections."),
    attention: parts(attention).describe("Attention of every layer, or a list of those that layers have."),
    feedForward: parts(feedForward).describe(
      "Feed-forward network of every layer, or a list of those that layers have.",
    ),
    baseFormat: storageFormat
      .default(shapeDefaults.shape.baseFormat)
      .describe(
        "Storage format of the released weights, but for the classes of formats, and norms where it has fewer than 16 bits.",
      ),
    formats: z
      .partialRecord(z.enum(tensorClasses), storageFormat)
      .default({})
      .describe("Storage format of tensor classes that are released in another one, such as {experts: mxfp4}."),
    weightBits: z
      .partialRecord(z.enum(tensorClasses), z.number().min(1).max(64))
      .optional()
      .describe(
        "Bits per value, scales included, of tensor classes whose layout is not the usual one of their format.",
      ),
    kvFormat: storageFormat
      .optional()
      .describe("Storage format of the KV cache; default bf16, or fp16 where baseFormat is that."),
  })
  .superRefine((shape, context) => {
    for (const { path, expected } of resolveShape(shape).problems)
      context.addIssue({ code: "custom", path: [...path], message: expected });
  });

/** One part for all layers, or a list of them. */
function parts<T extends z.ZodType>(part: T) {
  return z.union([part, z.array(part).min(1).max(4096)]);
}
