import { relativesOf } from "../../hardware/architectures.ts";
import { carriedExcess, excessExponents } from "../../hardware/carry-over.ts";
import { nominalRates } from "../../hardware/cost/mapped.ts";
import type { KernelFamily, KernelMap, KernelMaps } from "../../hardware/kernel-maps.ts";
import { deviceNamed } from "../../hardware/named-profiles.ts";
import type { KernelSample } from "../kernel-tables/kernel-sample.ts";
import { fitSamples } from "./calibrate-kernels.ts";
import type { CalibrationFamily } from "./families/family.ts";
import { calibrationFamilies } from "./families.ts";
import { errorOf, fitOnly, splitRule } from "./fit-map.ts";

/** Maps fitted on the samples of other devices. */
export interface PooledMaps {
  readonly kernels: KernelMaps;
  readonly devices: readonly string[];
}

/** Samples of one map are thinned to about this many. */
const samplesMax = 12_000;

/**
 * Maps of a family for the device `id` from the samples of others, as a profile made from a data sheet would have them.
 * The rule of transfer:
 *
 * 1. The sources are the measured devices of its architecture; without any, the two whose memory bandwidth is nearest, as
 *    a ratio. Null where no other device was measured.
 * 2. Each measured time becomes the time on `id`: the ideal part (bytes and FLOPs at the nominal peaks) is that of `id`,
 *    the launch time stays, and the excess over both, the filling and draining of the processors, stays inside an
 *    architecture and follows the square root of the ratio of the ideal times between architectures.
 * 3. A map per engine and format is fitted to these times of all sources together, on the same axes and by the same loss
 *    as those of a measured device. A format that no source has is forecast by the map of the nearest format.
 *
 * A profile that names a relative as `kernels` inherits that relative's map by the same rule, with the best share of the
 * peaks that the map reaches as a bound.
 */
export function poolMaps(
  family: KernelFamily,
  id: string,
  samples: ReadonlyMap<string, readonly KernelSample[]>,
): PooledMaps | null {
  const measured = [...samples].filter(([device, rows]) => device !== id && rows.length > 0).map(([device]) => device);
  const relatives = relativesOf(id);
  const near = measured.filter((device) => relatives.includes(device));
  const devices = near.length > 0 ? near : nearestByBandwidth(id, measured);
  const exponent = excessExponents[near.length > 0 ? "relative" : "stranger"];
  if (devices.length === 0) return null;
  const definition = calibrationFamilies[family] as CalibrationFamily;
  const own = nominalRates(deviceNamed(id));
  const groups = new Map<string, PoolGroup>();
  for (const device of devices) {
    const rates = nominalRates(deviceNamed(device));
    const of = samples.get(device) ?? [];
    const shortest = of.reduce((least, { ns }) => Math.min(least, ns), Infinity);
    for (const sample of of) {
      const engine = definition.byEngine ? (sample.engine ?? undefined) : undefined;
      const format = definition.format(sample.op);
      const key = `${engine} ${format}`;
      const head = { ...(engine === undefined ? {} : { engine }), ...(format === undefined ? {} : { format }) };
      const group = groups.get(key) ?? { head, samples: [] };
      groups.set(key, group);
      const ns = carriedOver(
        sample.ns,
        shortest,
        definition.shape.idealNs(sample.op, rates),
        definition.shape.idealNs(sample.op, own),
        exponent,
      );
      group.samples.push({ ...sample, ns });
    }
  }
  const maps = Array.from(groups.values(), ({ head, samples: all }): KernelMap => {
    const stride = Math.ceil(all.length / samplesMax);
    const part = all.filter((_, i) => i % stride === 0);
    const axes = definition.axes(part.map(({ op }) => op));
    const fitted = fitOnly(fitSamples(part, definition.shape, own), axes, definition.options);
    return {
      family,
      ...head,
      launchNs: fitted.launchNs,
      ...fitted.map,
      fit: {
        tables: devices.map((name) => ({ name, version: "pooled" })),
        split: splitRule,
        rows: part.length,
        shapes: new Set(part.map(({ shape }) => shape)).size,
        fitError: errorOf(fitted, fitSamples(part, definition.shape, own)),
        heldOutError: null,
      },
    };
  });
  return { kernels: { device: devices.join(" + "), maps }, devices };
}

/** GPUs that stand in for an architecture without measured relatives. */
const strangers = 2;

/** The devices whose memory bandwidth differs by the smallest factor. */
function nearestByBandwidth(id: string, measured: readonly string[]): string[] {
  const away = (other: string) =>
    Math.abs(Math.log(deviceNamed(other).memoryBytesPerSecond / deviceNamed(id).memoryBytesPerSecond));
  return measured.toSorted((a, b) => away(a) - away(b)).slice(0, strangers);
}

interface PoolGroup {
  readonly head: Pick<KernelMap, "engine" | "format">;
  readonly samples: KernelSample[];
}

/**
 * Time that a kernel of a relative would take on another device. Its ideal part follows the peaks; what it takes longer,
 * filling and draining its processors, hardly does.
 */
function carriedOver(ns: number, launchNs: number, idealNs: number, ownIdealNs: number, exponent: number): number {
  const excess = Math.max(0, ns - launchNs - idealNs);
  return launchNs + ownIdealNs + carriedExcess(excess, idealNs, ownIdealNs, exponent);
}
