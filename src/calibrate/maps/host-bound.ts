import { quantile } from "../../core/quantile.ts";
import type { KernelSample } from "../kernel-tables/kernel-sample.ts";

/** A kernel whose shortest times are so much longer than those of others of its family waits for something else. */
const slowStart = 8;
/** ... though the work of the shapes that take it differs by this factor at least. */
const workSpread = 30;
/** Times above this multiple of the floor are the device's own. */
const clearOfFloor = 1.5;

/**
 * Kernels launched one by one from the host show the time of the launch as long as the device is faster: a flat floor of
 * tens or hundreds of microseconds under small shapes (block-fp8 products of several tables), which a served model that
 * replays recorded graphs does not pay. Splits the samples of one family into those that time the device and those that
 * time the host.
 */
export function splitHostBound(
  samples: readonly KernelSample[],
  idealNs: (sample: KernelSample) => number,
): {
  readonly device: readonly KernelSample[];
  readonly host: readonly KernelSample[];
} {
  const byKernel = groupBy(samples);
  const shortest = samples.reduce((least, { ns }) => Math.min(least, ns), Infinity);
  const device: KernelSample[] = [];
  const host: KernelSample[] = [];
  for (const group of byKernel.values()) {
    const floor = quantile(
      Float64Array.from(group, ({ ns }) => ns),
      0.1,
    );
    const least = group.reduce((ns, sample) => Math.min(ns, sample.ns), Infinity);
    const low = group.filter(({ ns }) => ns < clearOfFloor * floor).map(idealNs);
    const flat = low.length > 0 && spread(low) > workSpread;
    const waits = flat && least > slowStart * shortest;
    for (const sample of group) (waits && sample.ns < clearOfFloor * floor ? host : device).push(sample);
  }
  return { device, host };
}

function groupBy(samples: readonly KernelSample[]): Map<string, KernelSample[]> {
  const groups = new Map<string, KernelSample[]>();
  for (const sample of samples) {
    const key = `${sample.engine}|${sample.kernel}|${"weightFormat" in sample.op ? sample.op.weightFormat : ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return groups;
}

/** Largest over smallest. */
function spread(values: readonly number[]): number {
  let least = Infinity;
  let most = 0;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return most / least;
}
