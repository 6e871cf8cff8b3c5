import { quantile } from "../../core/quantile.ts";
import type { KernelSample } from "./kernel-sample.ts";

/** One sample per device, engine, kernel and operation: repeated measurements become their median. */
export function mergeRepeats(samples: readonly KernelSample[]): KernelSample[] {
  const groups = new Map<string, KernelSample[]>();
  for (const sample of samples) {
    const key = [sample.device, sample.engine, sample.version, ...Object.values(sample.op)].join("|");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return Array.from(groups.values(), ([first, ...others]) => {
    if (first === undefined || others.length === 0) return first as KernelSample;
    return {
      ...first,
      ns: quantile(
        Float64Array.from([first, ...others], ({ ns }) => ns),
        0.5,
      ),
    };
  });
}
