import type { KernelSample } from "../../calibrate/kernel-tables/kernel-sample.ts";
import { kernelError } from "../../calibrate/maps/kernel-error.ts";
import { poolMaps } from "../../calibrate/maps/pool-maps.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { Device, Node } from "../../hardware/device.ts";
import { type KernelError, type KernelFamily, type KernelMaps, kernelFamilies } from "../../hardware/kernel-maps.ts";
import { deviceNamed } from "../../hardware/named-profiles.ts";
import { type FamilySamples, type LeftOutRows, leftOutTotal } from "./usable-samples.ts";

/** Errors of one family of kernels on one device. */
export interface KernelFamilyError {
  readonly device: string;
  readonly family: KernelFamily;
  /** Of the forecasts against the measured times. */
  readonly error: KernelError;
  /** On held-out shapes, as the maps record them, weighted by rows; null without maps, and where maps of others forecast. */
  readonly heldOut: HeldOutError | null;
  /** Devices whose measurements the maps stand on; empty where the profile's scalar efficiencies forecast. */
  readonly mapsOf: readonly string[];
  /** Rows that no forecast is compared with, all reasons together. */
  readonly leftOutRows: number;
  readonly leftOut: LeftOutRows;
}

export type HeldOutError = Pick<KernelError, "rows" | "mean" | "median" | "p90">;

/** Measured and forecast times of one family on one device, and their errors. */
export interface ComparedFamily {
  readonly result: KernelFamilyError;
  readonly forecastNs: Float64Array;
  readonly measuredNs: Float64Array;
}

/**
 * Forecasts of the usable samples of one family on one device: with the maps of its profile or, with `others`, with maps
 * fitted on the samples of the other devices among them. Null without usable samples, or without any other device.
 */
function compareFamily(
  id: string,
  family: KernelFamily,
  { kept, leftOut }: FamilySamples,
  others: ReadonlyMap<string, readonly KernelSample[]> | null,
): ComparedFamily | null {
  if (kept.length === 0) return null;
  const device = deviceNamed(id);
  const pool = others === null ? null : poolMaps(family, id, others);
  if (others !== null && pool === null) return null;
  const forecastNs = forecast(kept, pool === null ? device : { ...device, kernels: pool.kernels });
  const measuredNs = Float64Array.from(kept, ({ ns }) => ns);
  return {
    result: {
      device: id,
      family,
      error: kernelError(forecastNs, measuredNs),
      heldOut: pool === null ? recordedHeldOut(device.kernels, family) : null,
      mapsOf: pool?.devices ?? mapsOf(device.kernels, family),
      leftOutRows: leftOutTotal(leftOut),
      leftOut,
    },
    forecastNs,
    measuredNs,
  };
}

/** Every family on every device. */
export function compareAll(
  samples: ReadonlyMap<string, ReadonlyMap<KernelFamily, FamilySamples>>,
  leaveOut: "system" | null,
): ComparedFamily[] {
  return kernelFamilies.flatMap((family) => {
    const others =
      leaveOut === null ? null : new Map(Array.from(samples, ([id, of]) => [id, of.get(family)?.kept ?? []] as const));
    return [...samples].flatMap(([id, of]) => {
      const own = of.get(family);
      return own === undefined ? [] : (compareFamily(id, family, own, others) ?? []);
    });
  });
}

function forecast(samples: readonly KernelSample[], device: Device): Float64Array {
  const node: Node = { device, devicesPerNode: 8, tiers: [] };
  const models = new Map<string | null, CostModel>();
  return Float64Array.from(samples, ({ engine, op }) => {
    const model = models.get(engine) ?? new CostModel(device, node, engine);
    models.set(engine, model);
    return model.opNs(op);
  });
}

function mapsOf(kernels: KernelMaps | undefined, family: KernelFamily): readonly string[] {
  const maps = kernels?.maps.filter((map) => map.family === family) ?? [];
  return [...new Set(maps.map(({ from }) => from ?? kernels?.device ?? ""))];
}

/** Held-out errors that a device's own maps record. */
function recordedHeldOut(kernels: KernelMaps | undefined, family: KernelFamily): HeldOutError | null {
  const own = kernels?.maps.filter((map) => map.family === family && map.from === undefined) ?? [];
  return weightedHeldOut(own.flatMap((map) => map.fit.heldOutError ?? []));
}

/** Held-out errors of several maps, weighted by their rows; null of none. */
export function weightedHeldOut(errors: readonly HeldOutError[]): HeldOutError | null {
  const rows = errors.reduce((sum, error) => sum + error.rows, 0);
  if (rows === 0) return null;
  const weighted = (key: "mean" | "median" | "p90") =>
    errors.reduce((sum, error) => sum + error[key] * error.rows, 0) / rows;
  return { rows, mean: weighted("mean"), median: weighted("median"), p90: weighted("p90") };
}
