import type { StorageFormat } from "../core/dtype.ts";
import type {
  GqaAttention,
  LinearAttention,
  MlaAttention,
  MoeFeedForward,
  TensorClass,
  WeightStorage,
} from "./spec.ts";

/**
 * A model as a person describes it: the numbers of a {@link ModelSpec} under the same names, with layers that are alike
 * described once and what is usual left out. The scenario's schema checks every value by itself; what values mean
 * together is for `resolve-shape.ts`.
 */
export interface ModelShape {
  readonly name: string;
  /** Type whose recorded routing and measured accuracy stand for this model's. */
  readonly modelType?: string | undefined;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly contextTokensMax: number;
  readonly tiedEmbeddings: boolean;
  readonly headBias: boolean;
  readonly mtpLayers: number;
  readonly normVectors: number;
  readonly normBias: boolean;
  readonly residualStreams: number;
  readonly attention: OneOrMore<AttentionShape>;
  readonly feedForward: OneOrMore<FeedForwardShape>;
  readonly baseFormat: StorageFormat;
  readonly formats: Readonly<Partial<Record<TensorClass, StorageFormat | undefined>>>;
  /** Bits per value of classes whose layout is not the usual one of their format. */
  readonly weightBits?: WeightStorage["weightBits"];
  readonly kvFormat?: StorageFormat | undefined;
}

export type OneOrMore<T> = T | readonly T[];

/** Which layers a part describes: their numbers from 0, such as `0-2` or `3-47/4`; absent: those that are left. */
interface OfLayers {
  readonly layers?: string | number | undefined;
}

/** Optional values of a spec, as a schema gives them. */
type Loose<T> = { readonly [K in keyof T]: undefined extends T[K] ? T[K] | undefined : T[K] };

/** Which projections of attention have a bias. */
export const biasForms = ["none", "qkv", "all"] as const;
export const queryKeyNorms = ["none", "head", "whole", "weightless"] as const;

type GqaDerived = "kvHeads" | "headDim" | "windowTokens" | "queryKeyNorm" | "smallParameters";
export interface GqaShape extends OfLayers, Loose<Omit<GqaAttention, GqaDerived>> {
  readonly kvHeads?: number | undefined;
  readonly headDim?: number | undefined;
  readonly windowTokens?: number | undefined;
  readonly queryKeyNorm: (typeof queryKeyNorms)[number];
  readonly bias: (typeof biasForms)[number];
  readonly sinks: boolean;
  readonly smallParameters?: number | undefined;
}

export interface MlaShape extends OfLayers, Loose<Omit<MlaAttention, "queryLoraRank" | "indexer" | "smallParameters">> {
  readonly queryLoraRank?: number | undefined;
  readonly indexer?: NonNullable<MlaAttention["indexer"]> | undefined;
  readonly smallParameters?: number | undefined;
}

export interface LinearShape extends OfLayers, Loose<LinearAttention> {}

interface Nothing extends OfLayers {
  readonly kind: "none";
}

export type AttentionShape = GqaShape | MlaShape | LinearShape | Nothing;

interface DenseShape extends OfLayers {
  readonly kind: "dense";
  readonly width: number;
  readonly matrices: 2 | 3;
}

type MoeDerived = "expertHidden" | "sharedWidth" | "expertBiasParameters" | "router";
export interface MoeShape extends OfLayers, Loose<Omit<MoeFeedForward, MoeDerived>> {
  readonly expertHidden?: number | undefined;
  /** Shared experts of the width of a routed one; the other way to say a shared width. */
  readonly sharedExperts?: number | undefined;
  readonly sharedWidth?: number | undefined;
  /** A bias in each expert. */
  readonly expertBias: boolean;
  readonly router: {
    readonly scoring: MoeFeedForward["router"]["scoring"];
    readonly normalisesTopK: boolean;
    readonly bias: boolean;
    readonly groups?:
      | { readonly count: number; readonly kept: number; readonly topKPerGroup?: number | undefined }
      | undefined;
  };
  /** Times a token visits the experts one after the other, and whether each time has a router. */
  readonly visits: number;
  readonly visitRouters: "own" | "shared";
}

export type FeedForwardShape = DenseShape | MoeShape | Nothing;

/** What a shape means where it leaves a key out; the schema and the writer of shapes have them from here. */
export const shapeDefaults = {
  shape: {
    tiedEmbeddings: false,
    headBias: false,
    mtpLayers: 0,
    normVectors: 2,
    normBias: false,
    residualStreams: 1,
    baseFormat: "bf16",
  },
  gqa: { outputGate: false, queryKeyNorm: "none", bias: "none", sinks: false },
  linear: { smallParameters: 0 },
  dense: { matrices: 3 },
  moe: {
    matrices: 3,
    sharedWidth: 0,
    sharedGate: false,
    expertBias: false,
    denseWidth: 0,
    visits: 1,
    visitRouters: "own",
  },
  router: { scoring: "softmax", normalisesTopK: true, bias: false },
} as const;

/** Format of the norms where none is stated: those of quantised weights have 16 bits. */
export const normFormat = (base: StorageFormat): StorageFormat => (base === "fp32" || base === "fp16" ? base : "bf16");

/** Format of the KV cache where none is stated: quantised weights do not speak of it. */
export const cacheFormat = (base: StorageFormat): StorageFormat => (base === "fp16" ? "fp16" : "bf16");

export const listOf = <T extends AttentionShape | FeedForwardShape>(parts: OneOrMore<T>): readonly T[] =>
  Array.isArray(parts) ? (parts as readonly T[]) : [parts as T];
