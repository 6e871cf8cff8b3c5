import { relativesOf } from "../../hardware/architectures.ts";
import { carriedExcess, excessExponents } from "../../hardware/carry-over.ts";
import { nominalRates } from "../../hardware/cost/mapped.ts";
import type { Device } from "../../hardware/device.ts";
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
 * 1. The sources are the measured devices of its architecture; without any, all others, and of them for each engine
 *    those measured with its newest version. Null where no other device was measured.
 * 2. Inside an architecture each measured time becomes the time of the same operation on `id`: the ideal part (bytes and
 *    FLOPs at the nominal peaks) is that of `id`, the launch time and the excess over both, the filling and draining of
 *    processors that are alike, stay.
 * 3. Between architectures the time stays, in cycles of the clock, and the operation changes: a device that is s times as
 *    fast takes as long for s times the independent work. Families that no such work is known of keep their operations;
 *    of their times the excess follows the square root of the ratio of the ideal times.
 * 4. A map per engine and format is fitted to all of this together, every architecture with as many samples, on the same
 *    axes and by the same loss as those of a measured device. A format that no source has is forecast by the map of the
 *    nearest format.
 *
 * A profile that names a relative as `kernels` inherits that relative's map by the rule of 2, with the best share of the
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
  const definition = calibrationFamilies[family] as CalibrationFamily;
  const target = deviceNamed(id);
  const devices = near.length > 0 ? near : measured;
  const exponent = excessExponents[near.length > 0 ? "relative" : "stranger"];
  if (devices.length === 0) return null;
  const own = nominalRates(target);
  const groups = new Map<string, PoolGroup>();
  for (const device of devices) {
    const source = deviceNamed(device);
    const rates = nominalRates(source);
    const of = samples.get(device) ?? [];
    const shortest = of.reduce((least, { ns }) => Math.min(least, ns), Infinity);
    const clock = cyclesRatio(source, target);
    for (const sample of of) {
      const engine = definition.byEngine ? (sample.engine ?? undefined) : undefined;
      const format = definition.format(sample.op);
      const key = `${engine} ${format}`;
      const head = { ...(engine === undefined ? {} : { engine }), ...(format === undefined ? {} : { format }) };
      const group = groups.get(key) ?? { head, sources: new Map<string, KernelSample[]>() };
      groups.set(key, group);
      const idealNs = definition.shape.idealNs(sample.op, rates);
      const ownIdealNs = definition.shape.idealNs(sample.op, own);
      const carried =
        near.length === 0 && definition.scaled !== undefined
          ? { ...sample, op: definition.scaled(sample.op, (clock * idealNs) / ownIdealNs), ns: clock * sample.ns }
          : { ...sample, ns: carriedOver(sample.ns, shortest, idealNs, ownIdealNs, exponent) };
      const rows = group.sources.get(device);
      if (rows === undefined) group.sources.set(device, [carried]);
      else rows.push(carried);
    }
  }
  const maps = Array.from(groups.values(), ({ head, sources }): KernelMap => {
    const part = evenly(near.length > 0 || !definition.byEngine ? sources : newestOnly(sources));
    const axes = definition.axes(part.map(({ op }) => op));
    const fitted = fitOnly(fitSamples(part, definition.shape, own), axes, definition.options);
    return {
      family,
      ...head,
      launchNs: fitted.launchNs,
      writeNs: fitted.writeNs,
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

interface PoolGroup {
  readonly head: Pick<KernelMap, "engine" | "format">;
  /** Samples by the device they were measured on. */
  readonly sources: Map<string, KernelSample[]>;
}

/** Samples of all sources, thinned so that every architecture has about as many. */
function evenly(sources: ReadonlyMap<string, readonly KernelSample[]>): KernelSample[] {
  const architectures = new Map<string, KernelSample[]>();
  for (const [device, rows] of sources) {
    const architecture = relativesOf(device)[0] ?? device;
    architectures.set(architecture, (architectures.get(architecture) ?? []).concat(rows));
  }
  const most = samplesMax / architectures.size;
  return [...architectures.values()].flatMap((rows) => {
    const stride = Math.ceil(rows.length / most);
    return rows.filter((_, i) => i % stride === 0);
  });
}

/** The sources that were measured with the newest version that any was: kernels get better with versions. */
function newestOnly(
  sources: ReadonlyMap<string, readonly KernelSample[]>,
): ReadonlyMap<string, readonly KernelSample[]> {
  const newest = new Map(
    Array.from(sources, ([device, rows]) => [device, rows.map(({ version }) => version).reduce(newer)] as const),
  );
  const latest = [...newest.values()].reduce(newer);
  return new Map([...sources].filter(([device]) => newest.get(device) === latest));
}

/** Duration of a cycle on `target` over that on `source`; 1 where a clock is not known. */
function cyclesRatio(source: Device, target: Device): number {
  return source.clockHz === undefined || target.clockHz === undefined ? 1 : source.clockHz / target.clockHz;
}

/** The later of two versions, number by number. */
function newer(a: string, b: string): string {
  const [left, right] = [a, b].map((version) => (version.match(/\d+/g) ?? []).map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference > 0 ? a : b;
  }
  return a;
}

/**
 * Time that a kernel of another device would take on this one. Its ideal part follows the peaks; what it takes longer,
 * filling and draining its processors, hardly does.
 */
function carriedOver(ns: number, launchNs: number, idealNs: number, ownIdealNs: number, exponent: number): number {
  const excess = Math.max(0, ns - launchNs - idealNs);
  return launchNs + ownIdealNs + carriedExcess(excess, idealNs, ownIdealNs, exponent);
}
