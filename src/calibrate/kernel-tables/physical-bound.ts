import { own } from "../../core/own.ts";
import type { MappedShape, NominalRates } from "../../hardware/cost/mapped.ts";
import type { Op } from "../../hardware/op.ts";
import type { KernelSample } from "./kernel-sample.ts";

/** Measured times are averages of timers with a resolution of their own: 1 % beyond a peak proves nothing. */
const tolerance = 0.01;

/**
 * How a measured time stands against the physical peaks of its device: possible; `cached`, faster than memory but with
 * operands that fit the last-level cache, where repeated runs of a benchmark find them (a model with many layers does
 * not); or `impossible`.
 */
export type PhysicalVerdict =
  | { readonly kind: "possible" | "cached" }
  | { readonly kind: "impossible"; readonly reason: string };

const possible: PhysicalVerdict = { kind: "possible" };

const mib = 1024 * 1024;

/** Last-level cache in bytes (vendors' architecture documents); of a device not listed none is allowed for. */
const cacheBytes: Readonly<Record<string, number>> = {
  "a100-sxm": 40 * mib,
  "h100-sxm": 50 * mib,
  "h200-sxm": 50 * mib,
  "b200-sxm": 126 * mib,
  "b300-sxm": 126 * mib,
  gb200: 126 * mib,
  l40s: 96 * mib,
  "rtx-4090": 72 * mib,
  "rtx-pro-6000": 128 * mib,
};

/** Operands somewhat larger than the cache still find most of themselves there. */
const cacheExcess = 1.25;

/** Bytes over peak bandwidth and FLOPs over peak arithmetic bound every kernel from below. */
export function physicalVerdict<O extends Op>(
  sample: KernelSample,
  shape: MappedShape<O>,
  rates: NominalRates,
): PhysicalVerdict {
  const op = sample.op as O;
  const limitNs = sample.ns * (1 + tolerance);
  const { work } = shape;
  if (work === undefined) {
    const idealNs = shape.idealNs(op, rates);
    return idealNs <= limitNs ? possible : impossible(sample.ns, idealNs, "the peak of the link");
  }
  const math = work.math(op, rates.device);
  const computeNs = work.flops(op) * rates.nsPerFlop[math];
  if (computeNs > limitNs) return impossible(sample.ns, computeNs, `the ${math} peak`);
  const bytes = work.bytes(op);
  const memoryNs = bytes * rates.nsPerByte;
  if (memoryNs <= limitNs) return possible;
  if (bytes <= cacheExcess * (own(cacheBytes, rates.device.id) ?? 0)) return { kind: "cached" };
  return impossible(sample.ns, memoryNs, "the memory bandwidth");
}

function impossible(ns: number, leastNs: number, peak: string): PhysicalVerdict {
  return { kind: "impossible", reason: `${peak} allows no less than ${us(leastNs)}, measured ${us(ns)}` };
}

function us(ns: number): string {
  return `${(ns / 1000).toPrecision(3)} us`;
}
