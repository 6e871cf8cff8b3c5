import { nominalRates } from "../../hardware/cost/mapped.ts";
import { CostModel } from "../../hardware/cost.ts";
import type { Device, Node } from "../../hardware/device.ts";
import { type KernelError, type KernelFamily, type KernelMaps, kernelFamilies } from "../../hardware/kernel-maps.ts";
import { deviceNamed } from "../../hardware/systems.ts";
import type { CalibrationFamily } from "../calibration/families/family.ts";
import { calibrationFamilies } from "../calibration/families.ts";
import { splitHostBound } from "../calibration/host-bound.ts";
import { kernelError } from "../calibration/kernel-error.ts";
import { poolMaps } from "../calibration/pool-maps.ts";
import type { KernelSample } from "../kernels/kernel-sample.ts";
import { listedKernel } from "../kernels/listed-kernels.ts";
import { mergeRepeats } from "../kernels/merge-repeats.ts";
import { physicalVerdict } from "../kernels/physical-bound.ts";

/** Errors of one family of kernels on one device. */
export interface KernelFamilyError {
  readonly device: string;
  readonly family: KernelFamily;
  /** Of the forecasts against the measured times. */
  readonly error: KernelError;
  /** Mean and p90 on held-out shapes, as the maps record them; null without maps, and where maps of others forecast. */
  readonly heldOut: Pick<KernelError, "mean" | "p90"> | null;
  /** Devices whose measurements the maps stand on; empty where the profile's scalar efficiencies forecast. */
  readonly mapsOf: readonly string[];
  /**
   * Rows left out: beyond the physical peak, served from the last-level cache, timing the host, or of series
   * known to time another kernel.
   */
  readonly leftOutRows: number;
}

export interface KernelErrors {
  readonly families: readonly KernelFamilyError[];
  readonly overall: KernelError;
}

/**
 * Errors of forecast kernel times per device and family: with the maps of each device's profile or, with `leaveOut`, with
 * maps fitted on the samples of the other devices.
 */
export function kernelErrors(
  samples: ReadonlyMap<string, readonly KernelSample[]>,
  leaveOut: "system" | null,
): KernelErrors {
  const usable = new Map(Array.from(samples, ([id, rows]) => [id, usableSamples(rows, deviceNamed(id))] as const));
  const families: KernelFamilyError[] = [];
  const all: Compared[] = [];
  for (const [id, rows] of usable) {
    const device = deviceNamed(id);
    for (const family of kernelFamilies) {
      const own = rows.get(family);
      if (own === undefined || own.kept.length === 0) continue;
      const pool =
        leaveOut === null
          ? null
          : poolMaps(family, id, new Map([...usable].map(([key, of]) => [key, of.get(family)?.kept ?? []])));
      if (leaveOut !== null && pool === null) continue;
      const judged = pool === null ? device : { ...device, kernels: pool.kernels };
      const compared = compare(own.kept, judged);
      all.push(compared);
      families.push({
        device: id,
        family,
        error: kernelError(compared.forecastNs, compared.measuredNs),
        heldOut: pool === null ? recordedHeldOut(device.kernels, family) : null,
        mapsOf: pool?.devices ?? mapsOf(device.kernels, family),
        leftOutRows: own.leftOut,
      });
    }
  }
  return { families, overall: overallError(all) };
}

interface Compared {
  readonly forecastNs: Float64Array;
  readonly measuredNs: Float64Array;
}

function compare(samples: readonly KernelSample[], device: Device): Compared {
  const node: Node = { device, devicesPerNode: 8, tiers: [] };
  const models = new Map<string | null, CostModel>();
  const forecastNs = Float64Array.from(samples, ({ engine, op }) => {
    const model = models.get(engine) ?? new CostModel(device, node, engine);
    models.set(engine, model);
    return model.opNs(op);
  });
  return { forecastNs, measuredNs: Float64Array.from(samples, ({ ns }) => ns) };
}

function overallError(all: readonly Compared[]): KernelError {
  const join = (key: keyof Compared) => Float64Array.from(all.flatMap((one) => [...one[key]]));
  return kernelError(join("forecastNs"), join("measuredNs"));
}

interface UsableSamples {
  readonly kept: readonly KernelSample[];
  readonly leftOut: number;
}

/** Samples by family that time the device and are physically possible on it. */
function usableSamples(samples: readonly KernelSample[], device: Device): Map<KernelFamily, UsableSamples> {
  const rates = nominalRates(device);
  const usable = new Map<KernelFamily, UsableSamples>();
  for (const family of kernelFamilies) {
    const ofFamily = samples.filter((sample) => sample.family === family);
    const all = mergeRepeats(ofFamily.filter((sample) => listedKernel(sample) === null));
    if (all.length === 0) continue;
    const { shape } = calibrationFamilies[family] as CalibrationFamily;
    const kept = splitHostBound(all, ({ op }) => shape.idealNs(op, rates)).device.filter(
      (sample) => physicalVerdict(sample, shape, rates).kind === "possible",
    );
    usable.set(family, { kept, leftOut: all.length - kept.length });
  }
  return usable;
}

function mapsOf(kernels: KernelMaps | undefined, family: KernelFamily): readonly string[] {
  const maps = kernels?.maps.filter((map) => map.family === family) ?? [];
  return [...new Set(maps.map(({ from }) => from ?? kernels?.device ?? ""))];
}

/** Held-out errors that a device's own maps record, weighted by their rows. */
function recordedHeldOut(kernels: KernelMaps | undefined, family: KernelFamily): KernelFamilyError["heldOut"] {
  const own = kernels?.maps.filter((map) => map.family === family && map.from === undefined) ?? [];
  const held = own.flatMap((map) => map.fit.heldOutError ?? []);
  const rows = held.reduce((sum, error) => sum + error.rows, 0);
  if (rows === 0) return null;
  const weighted = (key: "mean" | "p90") => held.reduce((sum, error) => sum + error[key] * error.rows, 0) / rows;
  return { mean: weighted("mean"), p90: weighted("p90") };
}
