import { own } from "../../../core/own.ts";
import type { AttentionOp, GemmOp, GroupedGemmOp } from "../../../hardware/op.ts";
import { catalogue, modelNamed } from "../../../models/catalogue.ts";
import type { GqaAttention, MoeFeedForward } from "../../../models/spec.ts";
import { deviceIdOf } from "../device-name.ts";
import type { KernelSample } from "../kernel-sample.ts";
import type { KernelTable } from "../kernel-table.ts";
import type { KernelTableReader } from "../kernel-table-reader.ts";
import { visiblePairs } from "./attention.ts";
import { samplesOf } from "./columns.ts";

/**
 * Layer profiles of LLMServingSim: kernels of one layer of a model, timed inside vLLM on one device without tensor
 * parallelism, in bf16. Device, version and model come from the profile's description (see `profile-columns.ts`).
 */
const profileColumnNames = ["gpu", "vllm_version", "model", "time_us"] as const;

const format = "bf16";
const bytesPerValue = 2;

interface ProfiledModel {
  readonly id: string;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly attention: GqaAttention;
  readonly experts: MoeFeedForward;
}

/** The catalogue model whose id the name without its owner starts with: `Qwen/Qwen3-30B-A3B-Instruct-2507`. */
function modelAt(table: KernelTable, row: number): ProfiledModel | null {
  const name = table.text(row, "model");
  if (name === null) return null;
  const plain = (name.split("/").at(-1) ?? name).toLowerCase();
  const ids = Object.keys(catalogue).filter((known) => plain === known || plain.startsWith(`${known}-`));
  const id = ids.reduce((longest, known) => (known.length > longest.length ? known : longest), "");
  const unknown = (expected: string) => table.wrong(row, "model", expected, name);
  if (id === "") return unknown("a model of the catalogue");
  const { layers, hiddenSize, vocabSize } = modelNamed(id);
  const attention = layers.find((layer) => layer.attention.kind === "gqa")?.attention;
  const experts = layers.find((layer) => layer.feedForward.kind === "moe")?.feedForward;
  if (attention?.kind !== "gqa" || experts?.kind !== "moe")
    return unknown("a model with grouped-query attention and routed experts");
  return { id, hidden: hiddenSize, vocabulary: vocabSize, attention, experts };
}

type Common = Pick<KernelSample, "ns" | "device" | "engine" | "version" | "file" | "row">;

/** Every row through a function that also gets its model and what all samples share. */
function profileSamples(
  table: KernelTable,
  sampleAt: (row: number, model: ProfiledModel, common: Common) => KernelSample | null,
): KernelSample[] {
  return samplesOf(table, (row) => {
    const gpu = table.text(row, "gpu");
    const version = table.text(row, "vllm_version");
    const us = table.positive(row, "time_us");
    const model = modelAt(table, row);
    if (gpu === null || version === null || us === null || model === null) return null;
    const device = deviceIdOf(gpu);
    return sampleAt(row, model, { ns: us * 1000, device, engine: "vllm", version, file: table.file, row: row + 1 });
  });
}

function gemmSample(common: Common, layer: string, op: Pick<GemmOp, "tokens" | "inputWidth" | "outputWidth">) {
  const shape = `${format} n${op.outputWidth} k${op.inputWidth}`;
  const full: GemmOp = { kind: "gemm", ...op, weightFormat: format, math: format };
  return { ...common, family: "gemm", kernel: layer, op: full, shape } as const;
}

/** Inner and outer width of the dense products of a layer by the names of the profile; other layers are not products. */
const denseWidths: Readonly<Record<string, (model: ProfiledModel) => readonly [input: number, output: number]>> = {
  qkv_proj: ({ hidden, attention: { queryHeads, kvHeads, headDim } }) => [hidden, (queryHeads + 2 * kvHeads) * headDim],
  o_proj: ({ hidden, attention: { queryHeads, headDim } }) => [queryHeads * headDim, hidden],
};

/** Layers by tokens: the projections around attention. Embedding, norms and rotary embedding are left out. */
export const profiledDenseTable: KernelTableReader = {
  name: "layers of a profile",
  columns: [...profileColumnNames, "layer", "tokens"],
  read: (table) =>
    profileSamples(table, (row, model, common) => {
      const layer = table.text(row, "layer");
      const tokens = table.positive(row, "tokens");
      const widths = layer === null ? undefined : own(denseWidths, layer)?.(model);
      if (layer === null || tokens === null || widths === undefined) return null;
      return gemmSample(common, layer, { tokens, inputWidth: widths[0], outputWidth: widths[1] });
    }),
};

/** Layers by sequences that emit a token: the LM head. The sampler is left out. */
export const profiledHeadTable: KernelTableReader = {
  name: "heads of a profile",
  columns: [...profileColumnNames, "layer", "sequences"],
  read: (table) =>
    profileSamples(table, (row, { hidden, vocabulary }, common) => {
      const layer = table.text(row, "layer");
      const tokens = table.positive(row, "sequences");
      if (layer !== "lm_head" || tokens === null) return null;
      return gemmSample(common, layer, { tokens, inputWidth: hidden, outputWidth: vocabulary });
    }),
};

/**
 * Attention of one prompt chunk of `prefill_chunk` tokens behind `kv_prefill` cached ones, or of `n_decode` sequences of
 * `kv_decode` tokens each. Rows with both time a mixed step, which no single operation stands for, and are left out.
 */
export const profiledAttentionTable: KernelTableReader = {
  name: "attention of a profile",
  columns: [...profileColumnNames, "prefill_chunk", "kv_prefill", "n_decode", "kv_decode"],
  read: (table) =>
    profileSamples(table, (row, model, common) => {
      const chunk = table.count(row, "prefill_chunk");
      const cached = table.count(row, "kv_prefill");
      const decodes = table.count(row, "n_decode");
      const keys = table.count(row, "kv_decode");
      if (chunk === null || cached === null || decodes === null || keys === null) return null;
      if (chunk > 0 === decodes > 0) return null;
      const { queryHeads, kvHeads, headDim } = model.attention;
      const heads = {
        heads: queryHeads,
        kvHeads,
        latent: false,
        widthPerPair: 2 * headDim,
        cacheBytesPerToken: 2 * kvHeads * headDim * bytesPerValue,
        cacheFormat: format,
        math: format,
      } as const;
      const op: AttentionOp =
        chunk > 0
          ? {
              kind: "attentionPrefill",
              sequences: 1,
              queryTokens: chunk,
              scorePairs: visiblePairs(cached, chunk, Number.POSITIVE_INFINITY),
              cacheTokens: cached + chunk,
              ...heads,
            }
          : {
              kind: "attentionDecode",
              sequences: decodes,
              queryTokens: decodes,
              scorePairs: decodes * keys,
              cacheTokens: decodes * keys,
              ...heads,
            };
      // Everything but the tokens of the chunk, or the sequences of the batch.
      const shape = `${model.id} ${chunk > 0 ? `cached ${cached}` : `keys ${keys}`}`;
      return { ...common, family: op.kind, kernel: op.kind, op, shape };
    }),
};

/** Routed experts by tokens and by experts that receive any. */
export const profiledExpertTable: KernelTableReader = {
  name: "experts of a profile",
  columns: [...profileColumnNames, "tokens", "activated_experts"],
  read: (table) =>
    profileSamples(table, (row, { id, experts }, common) => {
      const tokens = table.positive(row, "tokens");
      const distinctExperts = table.positive(row, "activated_experts");
      if (tokens === null || distinctExperts === null) return null;
      const { topK, expertHidden, expertWidth, matrices } = experts;
      const op: GroupedGemmOp = {
        kind: "groupedGemm",
        pairs: tokens * topK,
        distinctExperts,
        presentedPairs: tokens * topK,
        parametersPerExpert: matrices * expertHidden * expertWidth,
        shardWidth: expertWidth,
        valuesPerPair: 2 * expertHidden + matrices * expertWidth,
        weightFormat: format,
        math: format,
      };
      return { ...common, family: "groupedGemm", kernel: "experts", op, shape: `${id} ${distinctExperts} experts` };
    }),
};
