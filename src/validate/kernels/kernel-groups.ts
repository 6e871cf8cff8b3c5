import { kernelError } from "../../calibrate/maps/kernel-error.ts";
import type { KernelError, KernelFamily } from "../../hardware/kernel-maps.ts";
import { type ComparedFamily, type HeldOutError, weightedHeldOut } from "./kernel-errors.ts";

/** What families of kernels do in a layer. */
const kernelGroups = ["experts", "products", "attention", "latentAttention", "collectives", "exchanges"] as const;
type KernelGroup = (typeof kernelGroups)[number];

const groupOf = {
  groupedGemm: "experts",
  sentExpertsContiguous: "experts",
  sentExpertsMasked: "experts",
  gemm: "products",
  attentionPrefill: "attention",
  attentionDecode: "attention",
  latentPrefill: "latentAttention",
  latentDecode: "latentAttention",
  allReduce: "collectives",
  allGather: "collectives",
  reduceScatter: "collectives",
  allToAll: "collectives",
  dispatchLowLatency: "exchanges",
  combineLowLatency: "exchanges",
  dispatchNormal: "exchanges",
  combineNormal: "exchanges",
} as const satisfies Record<KernelFamily, KernelGroup>;

/** Errors of all kernels of a group, on all devices or on one. */
export interface KernelGroupError {
  readonly group: KernelGroup;
  /** Null: over all devices. */
  readonly device: string | null;
  readonly error: KernelError;
  /** Geometric mean of measured / forecast. */
  readonly level: number;
  /** On held-out shapes, as the maps record them, weighted by rows; null where there are none. */
  readonly heldOut: HeldOutError | null;
  /** Rows that no forecast is compared with. */
  readonly leftOutRows: number;
}

/** Errors by group over all devices and, with `byDevice`, by group on each of them. */
export function groupErrors(compared: readonly ComparedFamily[], byDevice: boolean): KernelGroupError[] {
  const devices = byDevice ? [...new Set(compared.map(({ result }) => result.device))] : [];
  return [null, ...devices].flatMap((device) =>
    kernelGroups.flatMap((group): KernelGroupError | readonly [] => {
      const of = compared.filter(
        ({ result }) => groupOf[result.family] === group && (device === null || result.device === device),
      );
      if (of.length === 0) return [];
      return {
        group,
        device,
        error: errorOver(of),
        level: levelOver(of),
        heldOut: weightedHeldOut(of.flatMap(({ result }) => result.heldOut ?? [])),
        leftOutRows: of.reduce((sum, { result }) => sum + result.leftOutRows, 0),
      };
    }),
  );
}

function levelOver(compared: readonly ComparedFamily[]): number {
  let logs = 0;
  let rows = 0;
  for (const { forecastNs, measuredNs } of compared) {
    rows += measuredNs.length;
    for (const [i, ns] of measuredNs.entries()) logs += Math.log(ns / forecastNs[i]!);
  }
  return Math.exp(logs / rows);
}

/** Errors over all kernels. */
export function errorOver(compared: readonly ComparedFamily[]): KernelError {
  const join = (key: "forecastNs" | "measuredNs") => {
    const joined = new Float64Array(compared.reduce((sum, one) => sum + one[key].length, 0));
    let at = 0;
    for (const one of compared) {
      joined.set(one[key], at);
      at += one[key].length;
    }
    return joined;
  };
  return kernelError(join("forecastNs"), join("measuredNs"));
}
