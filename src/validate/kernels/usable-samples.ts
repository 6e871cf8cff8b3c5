import type { KernelSample } from "../../calibrate/kernel-tables/kernel-sample.ts";
import { listedKernel } from "../../calibrate/kernel-tables/listed-kernels.ts";
import { mergeRepeats } from "../../calibrate/kernel-tables/merge-repeats.ts";
import { physicalVerdict } from "../../calibrate/kernel-tables/physical-bound.ts";
import { untunedRows } from "../../calibrate/kernel-tables/untuned-layouts.ts";
import type { CalibrationFamily } from "../../calibrate/maps/families/family.ts";
import { calibrationFamilies } from "../../calibrate/maps/families.ts";
import { splitHostBound } from "../../calibrate/maps/host-bound.ts";
import { nominalRates } from "../../hardware/cost/mapped.ts";
import type { Device } from "../../hardware/device.ts";
import { type KernelFamily, kernelFamilies } from "../../hardware/kernel-maps.ts";

/** Rows that say nothing about the kernel a map stands for, repeated measurements counted once, by reason. */
export interface LeftOutRows {
  /** Of series known to time another kernel. */
  readonly listed: number;
  /** Of layouts whose kernels nobody tuned. */
  readonly untuned: number;
  /** They time the launch from the host. */
  readonly hostBound: number;
  /** Their operands sat in the last-level cache. */
  readonly cached: number;
  /** Beyond a physical peak. */
  readonly impossible: number;
}

/** The samples of one family on one device. */
export interface FamilySamples {
  /** Those that time the device and are physically possible on it. */
  readonly kept: readonly KernelSample[];
  readonly leftOut: LeftOutRows;
}

export const leftOutTotal = ({ listed, untuned, hostBound, cached, impossible }: LeftOutRows): number =>
  listed + untuned + hostBound + cached + impossible;

/** The samples of one device by family, with the rows that are left out counted. */
export function usableSamples(samples: readonly KernelSample[], device: Device): Map<KernelFamily, FamilySamples> {
  const rates = nominalRates(device);
  const usable = new Map<KernelFamily, FamilySamples>();
  for (const family of kernelFamilies) {
    const ofFamily = samples.filter((sample) => sample.family === family);
    if (ofFamily.length === 0) continue;
    const { shape } = calibrationFamilies[family] as CalibrationFamily;
    const listed = mergeRepeats(ofFamily.filter((sample) => listedKernel(sample) !== null)).length;
    const merged = mergeRepeats(ofFamily.filter((sample) => listedKernel(sample) === null));
    const untuned = untunedRows(merged.filter((sample) => physicalVerdict(sample, shape, rates).kind === "possible"));
    const all = merged.filter((sample) => !untuned.has(sample));
    const split = splitHostBound(all, ({ op }) => shape.idealNs(op, rates));
    const verdicts = split.device.map((sample) => physicalVerdict(sample, shape, rates).kind);
    const count = (kind: "cached" | "impossible") => verdicts.filter((verdict) => verdict === kind).length;
    usable.set(family, {
      kept: split.device.filter((_, i) => verdicts[i] === "possible"),
      leftOut: {
        listed,
        untuned: untuned.size,
        hostBound: split.host.length,
        cached: count("cached"),
        impossible: count("impossible"),
      },
    });
  }
  return usable;
}
