import { kernelFormatOf, type MeasuredFormat, type StorageFormat } from "../../core/dtype.ts";
import {
  type EngineProfile,
  type KernelFormat,
  type KernelPart,
  kernelFormats,
  kernelParts,
} from "../../engine/engine-profile.ts";
import type { Attention, FeedForward } from "../../models/spec.ts";
import type { PoolConfig } from "../config.ts";

/** What an engine profile gives a number of kernels for: parts of a layer, and products by the format of their weights. */
export const kernelUnits = [...kernelParts, ...kernelFormats] as const;

/** How often a layer has each of {@link kernelUnits}. */
export type UnitCounts = Float64Array;

const indexOfUnit = Object.fromEntries(kernelUnits.map((unit, index) => [unit, index])) as Readonly<
  Record<KernelPart | KernelFormat, number>
>;

/** Products that read their activations in the format of their weights, or unpack them. */
const formatUnit: Partial<Record<MeasuredFormat, KernelFormat>> = {
  fp8: "fp8",
  int8: "fp8",
  fp8_block: "fp8Block",
  int4: "int4",
  int4_g32: "int4",
  nvfp4: "nvfp4",
  mxfp4: "mxfp4",
};

class Counter {
  readonly counts = new Float64Array(kernelUnits.length);
  count(unit: KernelPart | KernelFormat, times = 1): this {
    this.counts[indexOfUnit[unit]]! += times;
    return this;
  }
  products(format: StorageFormat, products: number): this {
    const unit = formatUnit[kernelFormatOf(format)];
    // Kernels of dense products unpack 4-bit integers themselves.
    return unit === undefined || unit === "int4" ? this : this.count(unit, products);
  }
  experts(format: StorageFormat): this {
    const unit = formatUnit[kernelFormatOf(format)];
    return unit === undefined ? this : this.count(unit, 2);
  }
}

/** Units of a layer's token mixing, whose heads lie on `tp` ranks. */
export function mixingUnits(attention: Attention, formats: PoolConfig["formats"], tp: number): UnitCounts {
  const counter = new Counter();
  switch (attention.kind) {
    case "gqa":
      counter.count("attention").products(formats.attention, 2);
      // Over all heads of all ranks the norm runs in two parts, with a sum over the ranks between them.
      if (attention.queryKeyNorm !== undefined) counter.count("queryKeyNorm", isSummed(attention, tp) ? 2 : 1);
      if (attention.outputGate) counter.count("outputGate");
      break;
    case "mla":
      counter.count("latentAttention").products(formats.attention, attention.queryLoraRank === null ? 2 : 3);
      if (attention.indexer !== null && attention.indexerShared !== true) counter.count("indexer");
      if (attention.outputGate === true || attention.headGate === true) counter.count("outputGate");
      break;
    case "linear":
      // A short convolution is as few kernels as attention: between its products two gates and one convolution.
      counter
        .count(attention.scan.rule === "convolution" ? "attention" : "linearAttention")
        .products(formats.attention, 2);
      break;
    case "none":
  }
  return counter.counts;
}

/** Whether a norm of queries and keys, or of outputs, sums squares over the ranks that hold them. */
export function isSummed(attention: Attention, tp: number): boolean {
  if (tp === 1) return false;
  if (attention.kind === "linear") return attention.wholeNorm === true;
  return attention.kind === "gqa" && attention.queryKeyNorm === "whole";
}

/** Units of a layer's feed-forward network. */
export function feedForwardUnits(feedForward: FeedForward, formats: PoolConfig["formats"]): UnitCounts {
  const counter = new Counter();
  if (feedForward.kind === "dense") counter.count("dense").products(formats.dense, 2);
  if (feedForward.kind === "moe") {
    counter.count("experts").experts(formats.experts);
    // A gate on the shared expert is a product more: half a unit.
    if (feedForward.sharedWidth > 0)
      counter.count("sharedExperts", feedForward.sharedGate ? 1.5 : 1).products(formats.shared, 2);
    if (feedForward.denseWidth > 0) counter.count("dense").products(formats.dense, 2);
  }
  return counter.counts;
}

/** Kernels that an engine launches for units. */
export function kernelsOf(units: UnitCounts, { layerKernels, formatKernels }: EngineProfile): number {
  const perUnit: Readonly<Record<KernelPart | KernelFormat, number>> = { ...layerKernels, ...formatKernels };
  return kernelUnits.reduce((sum, unit, index) => sum + units[index]! * perUnit[unit], 0);
}
