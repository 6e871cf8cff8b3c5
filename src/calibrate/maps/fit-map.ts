import { solveCholesky } from "../../core/cholesky.ts";
import { EfficiencyLookup, type EfficiencyMap, type MapAxis } from "../../hardware/efficiency-map.ts";
import type { KernelError } from "../../hardware/kernel-maps.ts";
import { Grid } from "./grid.ts";
import { kernelError } from "./kernel-error.ts";

/** One measured kernel as the fit sees it. */
export interface FitSample {
  /** One value > 0 per axis of the map. */
  readonly coordinates: readonly number[];
  /** Time at the nominal peaks, > 0. */
  readonly idealNs: number;
  /** Measured time, > 0. */
  readonly ns: number;
  /** Blocks of threads that write to the cache beside the kernel; absent: none. */
  readonly writes?: number;
  /** Relative weight, > 0. */
  readonly weight: number;
  /** Rows of one shape are held out together. */
  readonly shape: string;
}

export interface FitOptions {
  /** Strength of the second-difference smoothing, relative to the mean weight of the data per node. */
  readonly smoothing?: number;
  /** Map to stay close to where data are few; the fit finds a smooth ratio to it. By default one typical efficiency. */
  readonly prior?: EfficiencyMap;
  /** Bounds of launchNs; by default 0 up to the shortest measured time. Equal bounds fix it. */
  readonly launchNs?: readonly [least: number, most: number];
  /**
   * Takes Huber's loss of the relative error, forecast / measured - 1, instead of its logarithm's: a forecast that is twice
   * too long weighs more than one that is half too short. Where an engine picks now one kernel, now another for shapes
   * that the axes cannot tell apart, the map then leans to the faster one.
   */
  readonly relativeLoss?: boolean;
}

/** launchNs + writeNs x writes + idealNs / efficiency(coordinates). */
export interface FittedMap {
  readonly launchNs: number;
  /** 0 where no sample writes. */
  readonly writeNs: number;
  readonly map: EfficiencyMap;
}

/** A fitted map with its errors: of the map itself, and of one that never saw the held-out shapes. */
export interface JudgedMap extends FittedMap {
  readonly rows: number;
  readonly shapes: number;
  readonly fitError: KernelError;
  /** Null where there are too few shapes to hold one out. */
  readonly heldOutError: KernelError | null;
}

/** Shapes needed before some are held out. */
const shapesForHoldOut = 5;
/** How the held-out rows are chosen, in words. */
export const splitRule = "by shape: 1 of 5, by FNV-1a hash of the shape";

/** Whether the rows of a shape are held out: one shape in five. */
export function isHeldOut(shape: string): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < shape.length; i++) hash = Math.imul(hash ^ shape.charCodeAt(i), 0x01000193);
  // The low bits of FNV-1a depend on few input bits; fold the high ones in.
  hash ^= hash >>> 15;
  return (hash >>> 0) % 5 === 0;
}

/** Fits a map to all samples and, for its held-out error, another to four of five shapes. */
export function fitMap(samples: readonly FitSample[], axes: readonly MapAxis[], options: FitOptions = {}): JudgedMap {
  const fitted = fitOnly(samples, axes, options);
  const shapes = new Set(samples.map((sample) => sample.shape)).size;
  const heldOut = samples.filter((sample) => isHeldOut(sample.shape));
  const kept = samples.filter((sample) => !isHeldOut(sample.shape));
  const judged = shapes >= shapesForHoldOut && heldOut.length > 0 && kept.length > 0;
  return {
    ...fitted,
    rows: samples.length,
    shapes,
    fitError: errorOf(fitted, samples),
    heldOutError: judged ? errorOf(fitOnly(kept, axes, options), heldOut) : null,
  };
}

/** Errors of a map on samples. */
export function errorOf(fitted: FittedMap, samples: readonly FitSample[]): KernelError {
  const lookup = new EfficiencyLookup(fitted.map);
  const forecast = Float64Array.from(
    samples,
    ({ coordinates: [a, b, c, d], idealNs, writes = 0 }) =>
      fitted.launchNs + fitted.writeNs * writes + idealNs * lookup.slowdownAt(a, b, c, d),
  );
  return kernelError(
    forecast,
    Float64Array.from(samples, (sample) => sample.ns),
  );
}

/** Shares of the shortest time that are tried as launch time before the search closes in. */
const launchShares = [0, 0.3, 0.6, 0.9];
const launchRefinements = 3;

/** Samples that the search for the launch time looks at, and those that the final fit does; more move neither. */
const searchSamples = 2000;
const fittedSamples = 15_000;

/** At most `most` of the samples, spread evenly. */
function thinned(samples: readonly FitSample[], most: number): readonly FitSample[] {
  if (samples.length <= most) return samples;
  return samples.filter(
    (_, i) => Math.floor((i * most) / samples.length) !== Math.floor(((i - 1) * most) / samples.length),
  );
}

/** The map that fits all samples best: a search for the launch time on a part of them, then one fit to all. */
export function fitOnly(samples: readonly FitSample[], axes: readonly MapAxis[], options: FitOptions = {}): FittedMap {
  const launchNs = searchLaunch(samples, axes, options);
  const { slowdown, writeNs } = new FitProblem(thinned(samples, fittedSamples), axes, options).fit(launchNs);
  return { launchNs, writeNs, map: { axes, efficiency: Array.from(slowdown, (value) => Math.exp(-value)) } };
}

/** Launch time between its bounds whose map leaves the least loss: a coarse grid, then halved steps. */
function searchLaunch(samples: readonly FitSample[], axes: readonly MapAxis[], options: FitOptions): number {
  const shortest = samples.reduce((least, sample) => Math.min(least, sample.ns), Infinity);
  const [least, most] = options.launchNs ?? [0, shortest];
  if (!(most > least)) return least;
  const problem = new FitProblem(thinned(samples, searchSamples), axes, options);
  const losses = new Map<number, number>();
  const lossAt = (share: number): number => {
    const loss = losses.get(share) ?? problem.fit(least + share * (most - least)).loss;
    losses.set(share, loss);
    return loss;
  };
  const better = (a: number, b: number): number => (b >= 0 && b <= 0.99 && lossAt(b) < lossAt(a) ? b : a);
  let best = launchShares.reduce(better);
  for (let i = 0, step = 0.1; i < launchRefinements; i++, step /= 2)
    best = [best - step, best + step].reduce(better, best);
  return least + best * (most - least);
}

/** Error beyond which a sample's loss grows no faster than the error (Huber). */
const huberWidth = 0.08;
/** A forecast so many times too long pulls no harder than one that is less so. */
const ratioMax = 3;
const iterations = 10;
/** First-difference penalty and pull to the typical slowdown, as shares of the second-difference penalty. */
const slopeShare = 0.02;
const pullShare = 1e-4;

/**
 * Weighted least squares in ln(ns) for -ln(efficiency) at the nodes of the grid, with second differences penalised, and
 * for the time per write where there are any, as the last unknown: Gauss-Newton steps, each sample's weight as Huber's loss asks (iteratively reweighted least squares).
 */
class FitProblem {
  readonly #samples: readonly FitSample[];
  readonly #grid: Grid;
  readonly #smoothing: number;
  readonly #nodes: Int32Array;
  readonly #shares: Float64Array;
  readonly #weightScale: number;
  readonly #prior: EfficiencyLookup | null;
  readonly #relativeLoss: boolean;
  /** Number of unknowns: the nodes, and the time per write. */
  readonly #order: number;

  constructor(samples: readonly FitSample[], axes: readonly MapAxis[], options: FitOptions) {
    const { smoothing = 0.01, prior, relativeLoss = false } = options;
    this.#samples = samples;
    this.#relativeLoss = relativeLoss;
    this.#grid = new Grid(axes);
    this.#smoothing = smoothing;
    this.#prior = prior === undefined ? null : new EfficiencyLookup(prior);
    const { corners, nodes } = this.#grid;
    this.#order = nodes + (samples.some(({ writes = 0 }) => writes > 0) ? 1 : 0);
    this.#nodes = new Int32Array(samples.length * corners);
    this.#shares = new Float64Array(samples.length * corners);
    samples.forEach((sample, i) => {
      this.#grid.locate(sample.coordinates, this.#nodes, this.#shares, i * corners);
    });
    const total = samples.reduce((sum, sample) => sum + sample.weight, 0);
    // The mean weight of the data per node becomes 1, which makes the smoothing independent of the number of rows.
    this.#weightScale = nodes / total;
  }

  /** -ln(efficiency) at the nodes and the time per write for a given launch time, and the robust loss with its penalty. */
  fit(launchNs: number): { slowdown: Float64Array; writeNs: number; loss: number } {
    const { nodes } = this.#grid;
    const start = this.#start(launchNs);
    const unknowns = start.slice();
    let loss = Infinity;
    for (let i = 0; i < iterations; i++) {
      const { matrix, right, loss: before } = this.#normalEquations(unknowns, launchNs, start);
      if (Math.abs(loss - before) < 1e-4 * before) break;
      loss = before;
      // An efficiency above 1 would beat the physical peak, and no write takes less than no time.
      solveCholesky(matrix, right).forEach((solved, i) => {
        unknowns[i] = Math.max(0, solved);
      });
    }
    return {
      slowdown: unknowns.slice(0, nodes),
      writeNs: unknowns[nodes] ?? 0,
      loss: this.#normalEquations(unknowns, launchNs, start).loss,
    };
  }

  /** What the penalties pull to: the prior's slowdown or the typical one everywhere, and writes that take no time. */
  #start(launchNs: number): Float64Array {
    const start = new Float64Array(this.#order);
    const typical = this.#prior === null ? this.#typicalSlowdown(launchNs) : 0;
    for (let node = 0; node < this.#grid.nodes; node++)
      start[node] = this.#prior === null ? typical : Math.log(this.#prior.slowdownAt(...this.#grid.pointOf(node)));
    return start;
  }

  /** Weighted mean of the logarithmic slowdown. */
  #typicalSlowdown(launchNs: number): number {
    let sum = 0;
    let weights = 0;
    for (const { ns, idealNs, weight } of this.#samples) {
      sum += weight * Math.log(Math.max(ns - launchNs, 0.02 * ns) / idealNs);
      weights += weight;
    }
    return Math.max(0, sum / weights);
  }

  #normalEquations(unknowns: Float64Array, launchNs: number, start: Float64Array) {
    const { nodes, corners } = this.#grid;
    const order = this.#order;
    const matrix = new Float64Array(order * order);
    this.#grid.addRoughness(matrix, order, this.#smoothing, slopeShare * this.#smoothing);
    for (let i = 0; i < order; i++) matrix[i * order + i]! += pullShare * this.#smoothing;
    let loss = quadraticForm(
      matrix,
      unknowns.map((value, i) => value - start[i]!),
    );
    const writeNs = unknowns[nodes] ?? 0;
    const right = product(matrix, start);
    const samples = this.#samples;
    for (let i = 0; i < samples.length; i++) {
      const { ns, idealNs, weight, writes = 0 } = samples[i]!;
      const from = i * corners;
      let log = 0;
      for (let c = from; c < from + corners; c++) log += this.#shares[c]! * unknowns[this.#nodes[c]!]!;
      const kernelNs = idealNs * Math.exp(log);
      const forecast = launchNs + writeNs * writes + kernelNs;
      const residual = Math.log(ns / forecast);
      const size = this.#relativeLoss ? Math.abs(forecast / ns - 1) : Math.abs(residual);
      const slope = this.#relativeLoss ? Math.min(ratioMax, forecast / ns) : 1;
      const robust = residual === 0 ? 1 : (slope * Math.min(size, huberWidth)) / Math.abs(residual);
      const scaled = weight * this.#weightScale;
      loss += scaled * (size <= huberWidth ? size * size : huberWidth * (2 * size - huberWidth));
      // d ln(forecast) / d ln(slowdown).
      const sensitivity = kernelNs / forecast;
      const factor = scaled * robust * sensitivity;
      // d ln(forecast) / d writeNs.
      const perWrite = writes / forecast;
      const target = residual + sensitivity * log + perWrite * writeNs;
      for (let c = from; c < from + corners; c++) {
        const share = this.#shares[c]!;
        if (share === 0) continue;
        const row = this.#nodes[c]!;
        right[row]! += factor * share * target;
        for (let e = from; e < from + corners; e++) {
          const column = this.#nodes[e]!;
          if (column <= row) matrix[row * order + column]! += factor * sensitivity * share * this.#shares[e]!;
        }
        if (perWrite > 0) matrix[nodes * order + row]! += factor * share * perWrite;
      }
      if (perWrite > 0) {
        right[nodes]! += scaled * robust * perWrite * target;
        matrix[nodes * order + nodes]! += scaled * robust * perWrite * perWrite;
      }
    }
    return { matrix, right, loss };
  }
}

/** x' A x of a symmetric matrix given by its lower triangle. */
function quadraticForm(matrix: Float64Array, x: Float64Array): number {
  const n = x.length;
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) sum += (i === j ? 1 : 2) * matrix[i * n + j]! * x[i]! * x[j]!;
  return sum;
}

/** A x of a symmetric matrix given by its lower triangle. */
function product(matrix: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      out[i]! += matrix[i * n + j]! * x[j]!;
      if (i !== j) out[j]! += matrix[i * n + j]! * x[i]!;
    }
  return out;
}
