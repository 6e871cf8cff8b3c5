import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { KernelSample } from "./kernel-sample.ts";

/** Times that are further apart than this are another kernel, not noise: repeats differ by 8 % at the 90th percentile. */
const clearlyLonger = 1.25;
/** A layout with a larger share of such rows runs a kernel that nobody tuned for it. */
const shareOfRows = 0.2;

/** Everything that makes expert kernels longer. */
const sizes: readonly ((op: GroupedGemmOp) => number)[] = [
  (op) => op.pairs,
  (op) => op.distinctExperts,
  (op) => Math.max(op.pairs, op.presentedPairs),
  (op) => op.shardWidth,
  (op) => op.parametersPerExpert,
  (op) => op.valuesPerPair,
];

/**
 * Rows of expert kernels whose layout nobody tuned: a fifth of its rows take clearly longer than kernels of the same engine
 * and format that have at least as much of everything to do. No shape makes a kernel slower than a larger one, which it
 * could be padded to; a tactic or a block size that was never searched for does. Engines search for them when they start,
 * or ship what they found for the layouts that are served.
 */
export function untunedRows(samples: readonly KernelSample[]): ReadonlySet<KernelSample> {
  const untuned = new Set<KernelSample>();
  for (const kernels of groups(samples, ({ engine, op }) => `${engine} ${"weightFormat" in op && op.weightFormat}`)) {
    const slow = slowerThanLarger(kernels);
    for (const layout of groups(kernels, ({ shape }) => shape)) {
      const rows = layout.filter((sample) => slow.has(sample)).length;
      if (rows > shareOfRows * layout.length) for (const sample of layout) untuned.add(sample);
    }
  }
  return untuned;
}

/** Samples that take clearly longer than one that is at least as large in every respect. */
function slowerThanLarger(samples: readonly KernelSample[]): Set<KernelSample> {
  const slow = new Set<KernelSample>();
  const sorted = samples.filter(({ op }) => op.kind === "groupedGemm").toSorted((a, b) => a.ns - b.ns);
  const table = Float64Array.from(sorted.flatMap(({ op }) => sizes.map((of) => of(op as GroupedGemmOp))));
  for (let small = 0; small < sorted.length; small++) {
    const limit = sorted[small]!.ns / clearlyLonger;
    for (let large = 0; large < small && sorted[large]!.ns < limit; large++)
      if (isAsLarge(table, large * sizes.length, small * sizes.length)) {
        slow.add(sorted[small]!);
        break;
      }
  }
  return slow;
}

/** Means of drawn loads differ in their last digits. */
const rounding = 1 - 1e-4;

function isAsLarge(table: Float64Array, large: number, small: number): boolean {
  for (let i = 0; i < sizes.length; i++) if (table[large + i]! < rounding * table[small + i]!) return false;
  return true;
}

function groups(samples: readonly KernelSample[], keyOf: (sample: KernelSample) => string): Iterable<KernelSample[]> {
  const found = new Map<string, KernelSample[]>();
  for (const sample of samples) {
    const key = keyOf(sample);
    const group = found.get(key);
    if (group === undefined) found.set(key, [sample]);
    else group.push(sample);
  }
  return found.values();
}
