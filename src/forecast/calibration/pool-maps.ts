import { nominalRates } from "../../hardware/cost/mapped.ts";
import type { KernelFamily, KernelMap, KernelMaps } from "../../hardware/kernel-maps.ts";
import { deviceNamed } from "../../hardware/systems.ts";
import type { KernelSample } from "../kernels/kernel-sample.ts";
import { fitSamples } from "./calibrate-kernels.ts";
import type { CalibrationFamily } from "./families/family.ts";
import { calibrationFamilies } from "./families.ts";
import { errorOf, type FitSample, fitOnly, splitRule } from "./fit-map.ts";

/** GPUs by architecture: the nearest relatives of a GPU that has not been measured. */
const architectures: readonly (readonly string[])[] = [
  ["h100-sxm", "h200-sxm"],
  ["b200-sxm", "gb200", "b300-sxm"],
];

/** Maps fitted on the samples of other devices. */
export interface PooledMaps {
  readonly kernels: KernelMaps;
  readonly devices: readonly string[];
}

/** Samples of one map are thinned to about this many. */
const samplesMax = 12_000;

/**
 * Maps of a family for the device `id` from the samples of others: of its architecture where it has measured relatives, else of
 * all. Null where no other device was measured. Efficiencies are relative to each device's own peaks, so that the pooled
 * ones can be carried over.
 */
export function poolMaps(
  family: KernelFamily,
  id: string,
  samples: ReadonlyMap<string, readonly KernelSample[]>,
): PooledMaps | null {
  const measured = [...samples].filter(([device, rows]) => device !== id && rows.length > 0).map(([device]) => device);
  const relatives = architectures.find((members) => members.includes(id)) ?? [];
  const near = measured.filter((device) => relatives.includes(device));
  const devices = near.length > 0 ? near : measured;
  if (devices.length === 0) return null;
  const definition = calibrationFamilies[family] as CalibrationFamily;
  const groups = new Map<
    string,
    { head: Pick<KernelMap, "engine" | "format">; ops: KernelSample["op"][]; samples: FitSample[] }
  >();
  for (const device of devices) {
    const rates = nominalRates(deviceNamed(device));
    for (const sample of samples.get(device) ?? []) {
      const engine = definition.byEngine ? (sample.engine ?? undefined) : undefined;
      const format = definition.format(sample.op);
      const key = `${engine} ${format}`;
      const head = { ...(engine === undefined ? {} : { engine }), ...(format === undefined ? {} : { format }) };
      const group = groups.get(key) ?? { head, ops: [], samples: [] };
      groups.set(key, group);
      group.ops.push(sample.op);
      group.samples.push(...fitSamples([sample], definition.shape, rates));
    }
  }
  const maps = Array.from(groups.values(), ({ head, ops, samples: all }): KernelMap => {
    const stride = Math.ceil(all.length / samplesMax);
    const part = all.filter((_, i) => i % stride === 0);
    const fitted = fitOnly(part, definition.axes(ops), definition.options);
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
        fitError: errorOf(fitted, part),
        heldOutError: null,
      },
    };
  });
  return { kernels: { device: devices.join(" + "), maps }, devices };
}
