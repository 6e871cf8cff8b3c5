import { CostModel } from "../../hardware/cost.ts";
import type { Device, Efficiency } from "../../hardware/device.ts";
import type { KernelError } from "../../hardware/kernel-maps.ts";
import type { KernelSample } from "../kernel-tables/kernel-sample.ts";
import { kernelError } from "./kernel-error.ts";

/** Figures of an efficiency preset that one kind of kernels decides. */
export type RooflineFigures = Readonly<Partial<Record<keyof Omit<Efficiency, "formatCompute">, number>>>;

/** Kernels that are fitted together: their samples by device, grouped by what counts alike. */
export interface RooflineSamples {
  readonly device: Device;
  /** Samples of equal names and architecture share one weight. */
  readonly group: string;
  readonly architecture: string;
  readonly samples: readonly KernelSample[];
}

export interface FittedRoofline {
  /** Fitted to all architectures. */
  readonly figures: RooflineFigures;
  readonly error: KernelError;
  readonly leftOut: readonly LeftOutArchitecture[];
}

/** An architecture forecast by figures that were fitted to the others. */
export interface LeftOutArchitecture {
  readonly architecture: string;
  readonly error: KernelError;
  /** Least stretch of launch and arithmetic, 1 or more, by which its forecasts are not too short in the mean. */
  readonly stretch: number;
}

/**
 * Fits figures of the roofline to measured kernels of all architectures together, each architecture and group with one
 * weight, and judges them on each architecture left out. `start` gives the figures to fit, `given` those that stay.
 */
export function fitRoofline(
  all: readonly RooflineSamples[],
  start: RooflineFigures,
  given: RooflineFigures,
): FittedRoofline {
  const figures = search(all, start, given);
  const leftOut = [...new Set(all.map((of) => of.architecture))].flatMap((architecture): LeftOutArchitecture | [] => {
    const others = all.filter((of) => of.architecture !== architecture);
    if (others.length === 0) return [];
    const judged = all.filter((of) => of.architecture === architecture);
    const transferred = search(others, start, given);
    return {
      architecture,
      error: errorsOf(judged, { ...given, ...transferred }),
      stretch: stretchOf(judged, transferred, given),
    };
  });
  return { figures, error: errorsOf(all, { ...given, ...figures }), leftOut };
}

/**
 * Figures with launch times and arithmetic longer by a factor. Shares of the memory bandwidth stay: large kernels of
 * every measured architecture reach about the same.
 */
export function stretched(figures: RooflineFigures, factor: number): RooflineFigures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => {
      if (name.endsWith("Memory")) return [name, value];
      return [name, name.endsWith("Compute") ? value / factor : value * factor];
    }),
  );
}

const stretchMost = 4;

function stretchOf(judged: readonly RooflineSamples[], figures: RooflineFigures, given: RooflineFigures): number {
  const bias = (factor: number) => errorsOf(judged, { ...given, ...stretched(figures, factor) }).bias;
  let low = 1;
  let high = stretchMost;
  if (bias(low) >= 0) return low;
  if (bias(high) < 0) return high;
  for (let i = 0; i < 10; i++) {
    const middle = (low + high) / 2;
    if (bias(middle) < 0) low = middle;
    else high = middle;
  }
  return high;
}

/** Steps of the logarithms, from coarse to fine. */
const steps = [0.8, 0.4, 0.2, 0.1, 0.05, 0.02];

/** Figures of least loss, by steps along one logarithm after the other. */
function search(all: readonly RooflineSamples[], start: RooflineFigures, given: RooflineFigures): RooflineFigures {
  const best: Record<string, number> = { ...start } as Record<string, number>;
  let least = lossOf(all, { ...given, ...best });
  for (const step of steps)
    for (let moved = true; moved; ) {
      moved = false;
      for (const name of Object.keys(best))
        for (const sign of [1, -1]) {
          const before = best[name]!;
          const value = before * Math.exp(sign * step);
          // Launch times and work of widening are above 1; everything else is a share.
          if (start[name as keyof RooflineFigures]! <= 1 && value > 1) continue;
          best[name] = value;
          const loss = lossOf(all, { ...given, ...best });
          if (loss < least) {
            least = loss;
            moved = true;
          } else best[name] = before;
        }
    }
  return best;
}

/** A kernel that is off by more than this, in log space, counts in proportion and not by the square. */
const huber = 0.3;

function lossOf(all: readonly RooflineSamples[], figures: RooflineFigures): number {
  const sums = new Map<string, { loss: number; rows: number }>();
  for (const of of all) {
    const forecastNs = forecasts(of, figures);
    const key = `${of.architecture} ${of.group}`;
    const sum = sums.get(key) ?? { loss: 0, rows: 0 };
    sums.set(key, sum);
    of.samples.forEach(({ ns }, i) => {
      const off = Math.abs(Math.log(forecastNs[i]! / ns));
      sum.loss += off < huber ? off * off : huber * (2 * off - huber);
      sum.rows++;
    });
  }
  let loss = 0;
  for (const sum of sums.values()) loss += sum.loss / sum.rows;
  return loss;
}

function errorsOf(all: readonly RooflineSamples[], figures: RooflineFigures): KernelError {
  return kernelError(
    Float64Array.from(all.flatMap((of) => Array.from(forecasts(of, figures)))),
    Float64Array.from(all.flatMap((of) => of.samples.map(({ ns }) => ns))),
  );
}

function forecasts({ device, samples }: RooflineSamples, figures: RooflineFigures): Float64Array {
  const { kernels: _, ...unmeasured } = device;
  const { formatCompute: __, ...shares } = device.efficiency;
  const on: Device = { ...unmeasured, efficiency: { ...shares, ...figures } };
  const cost = new CostModel(on, { device: on, devicesPerNode: 8, tiers: [] });
  return Float64Array.from(samples, ({ op }) => cost.opNs(op));
}
