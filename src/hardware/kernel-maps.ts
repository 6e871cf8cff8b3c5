import { kernelFormatOf, type MeasuredFormat, type StorageFormat, storageFormats } from "../core/dtype.ts";
import type { EfficiencyMap } from "./efficiency-map.ts";

/** Families whose time passes between devices. The others run on one device alone. */
const betweenDevices = [
  "allReduce",
  "allGather",
  "reduceScatter",
  "allToAll",
  "dispatchLowLatency",
  "combineLowLatency",
  "dispatchNormal",
  "combineNormal",
] as const;

/** Families of kernels with maps. Latent attention is MLA: every head reads one shared compressed cache. */
export const kernelFamilies = [
  "gemm",
  "groupedGemm",
  "sentExpertsContiguous",
  "sentExpertsMasked",
  "attentionPrefill",
  "attentionDecode",
  "latentPrefill",
  "latentDecode",
  ...betweenDevices,
] as const;
export type KernelFamily = (typeof kernelFamilies)[number];

/** Families whose time passes between devices. */
export const linkFamilies: ReadonlySet<KernelFamily> = new Set(betweenDevices);

/** Errors of forecast kernel times against measured ones, as shares (0.08 is 8 %); bias is their signed mean. */
export interface KernelError {
  readonly rows: number;
  readonly mean: number;
  readonly median: number;
  readonly p90: number;
  readonly bias: number;
}

/** What a map was fitted on, and how well it holds. */
export interface MapFit {
  readonly tables: readonly { readonly name: string; readonly version: string }[];
  /** Day of the fit, YYYY-MM-DD. */
  readonly date?: string;
  /** How the held-out rows were chosen. */
  readonly split: string;
  readonly rows: number;
  readonly shapes: number;
  /** Errors of the map itself, fitted on all rows. */
  readonly fitError: KernelError;
  /** Errors on held-out shapes of a map fitted without them; null where there are too few shapes. */
  readonly heldOutError: KernelError | null;
}

/**
 * Measured time of a family of kernels on one device: launchNs + writeNs x writes + ideal time / efficiency at the shape.
 * The ideal time, the writes and the axes are fixed by the cost function of the family.
 */
export interface KernelMap extends EfficiencyMap {
  readonly family: KernelFamily;
  /** Serving engine the kernels belong to; absent where they belong to none. */
  readonly engine?: string;
  /** Storage format of the weights, or of the KV cache; absent where it does not matter. */
  readonly format?: StorageFormat;
  readonly launchNs: number;
  /** Time per block of threads that writes new keys and values into the cache; absent where no such kernel was seen. */
  readonly writeNs?: number;
  /** Device it was measured on; absent where that is the device it is in force on. */
  readonly from?: string;
  readonly fit: MapFit;
}

/** The kernel maps in force on a device. */
export interface KernelMaps {
  /** Device they are in force on. */
  readonly device: string;
  readonly maps: readonly KernelMap[];
}

/** How a map relates to what was asked for. */
export interface ChosenMap {
  readonly map: KernelMap;
  readonly sameEngine: boolean;
  readonly sameFormat: boolean;
  /** The formats differ in the layout of their scales at most: the engine computes them by the same kernel. */
  readonly sameWidth: boolean;
}

/**
 * Formats placed by the likeness of their kernels: the nearer two places, the better one stands for the other. Formats less
 * than half a place apart differ in their scales alone: there the engine's own kernel says more than the very format.
 */
const formatPlace = {
  fp32: 0,
  fp16: 10,
  bf16: 10.2,
  int8: 30,
  fp8: 40,
  fp8_block: 40.2,
  nvfp4: 60,
  mxfp4: 64,
  int4: 80,
  int4_g32: 80.2,
} as const satisfies Record<MeasuredFormat, number>;

function distance(a: StorageFormat, b: StorageFormat): number {
  return Math.abs(formatPlace[kernelFormatOf(a)] - formatPlace[kernelFormatOf(b)]);
}

/**
 * The map for a family of kernels; null if there is none. Without a map of the engine, any other engine's is taken, the one
 * fitted to most kernels; without one of the format, that of the nearest format. The right width counts for more than the
 * right engine, and the engine for more than the layout of scales.
 */
export function chooseMap(
  maps: KernelMaps | undefined,
  family: KernelFamily,
  engineId: string | null,
  format: StorageFormat | null,
): ChosenMap | null {
  let best: ChosenMap | null = null;
  let bestScore = Number.POSITIVE_INFINITY;
  for (const map of maps?.maps ?? []) {
    if (map.family !== family) continue;
    const away = map.format === undefined || format === null ? 0 : distance(map.format, format);
    const sameEngine = map.engine === undefined || map.engine === engineId;
    const score = 2 * away + (sameEngine ? 0 : 1);
    if (score > bestScore || (score === bestScore && !(map.fit.rows > (best?.map.fit.rows ?? 0)))) continue;
    bestScore = score;
    const sameFormat = map.format === undefined || format === null || map.format === format;
    best = { map, sameEngine, sameFormat, sameWidth: away < 0.5 };
  }
  return best;
}

/**
 * The engine's own map of the nearest format that is wider; null if there is none. No kernel that merely stands in for a
 * narrow format of the engine is slower: at equal shapes the engine has this one, over more bytes.
 */
export function widerOwnMap(
  maps: KernelMaps | undefined,
  family: KernelFamily,
  engineId: string | null,
  format: StorageFormat,
): (KernelMap & { readonly format: StorageFormat }) | null {
  const bits = (of: StorageFormat) => storageFormats[of].bitsPerValue;
  let nearest: (KernelMap & { readonly format: StorageFormat }) | null = null;
  for (const map of maps?.maps ?? []) {
    if (map.family !== family || map.format === undefined) continue;
    if (map.engine !== undefined && map.engine !== engineId) continue;
    // Half as wide again: layouts of scales alone make no wider format.
    if (!(bits(map.format) > 1.5 * bits(format))) continue;
    if (nearest === null || bits(map.format) < bits(nearest.format)) nearest = { ...map, format: map.format };
  }
  return nearest;
}
