import { pow } from "../core/pow.ts";

/** Equally distributed variables that are normal but for a small skewness. */
export interface NormalKind {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
  /** Third central moment over the variance. */
  readonly skew: number;
}

interface LargestMoments {
  readonly first: number;
  readonly second: number;
}

const stepsPerUnit = 64;
const end = 8;

/**
 * Expected largest of independent variables, the kind with the largest mean first. To first order in the skewness each
 * variable is mean + deviation z + skew (z^2 - 1) / 6 of a standard normal z (Cornish and Fisher 1938), so the largest
 * gains that term of whichever normal variable is the largest.
 */
export function largestOfKinds(kinds: readonly NormalKind[]): number {
  const [first, ...others] = kinds;
  if (first === undefined) throw new Error("the largest of no variables");
  if (others.length === 0) {
    const moments = largestOfNormals(first.count);
    return first.mean + first.deviation * moments.first + (first.skew * (moments.second - 1)) / 6;
  }
  let largest = first.mean;
  for (const kind of kinds) {
    const { zeroth, first: once, second } = momentsWhereLargest(kind, kinds);
    largest += (kind.mean - first.mean) * zeroth + kind.deviation * once + (kind.skew * (second - zeroth)) / 6;
  }
  return largest;
}

/** Expectations of 1, z and z^2 of the largest variable of a kind where no other kind has a larger one. */
function momentsWhereLargest(kind: NormalKind, kinds: readonly NormalKind[]): LargestMoments & { zeroth: number } {
  const { density, below } = standardNormal();
  let zeroth = 0;
  let once = 0;
  let second = 0;
  for (let i = 0; i < density.length; i++) {
    const z = i / stepsPerUnit - end;
    let weight = (kind.count * density[i]! * pow(below[i]!, kind.count - 1)) / stepsPerUnit;
    for (const other of kinds) {
      if (other === kind) continue;
      const at = (kind.mean + kind.deviation * z - other.mean) / other.deviation;
      weight *= pow(cumulative(at), other.count);
    }
    zeroth += weight;
    once += weight * z;
    second += weight * z * z;
  }
  return { zeroth, first: once, second };
}

/** The moments by number of variables; they depend on nothing else. */
const knownMoments = new Map<number, LargestMoments>();

/** Expectation of the largest of `count` independent standard normal variables, and of its square. */
export function largestOfNormals(count: number): LargestMoments {
  const known = knownMoments.get(count);
  if (known !== undefined) return known;
  const { density, below } = standardNormal();
  const step = 1 / stepsPerUnit;
  let first = 0;
  let second = 0;
  for (let i = 0; i < density.length; i++) {
    const z = i * step - end;
    const weight = step * count * density[i]! * pow(below[i]!, count - 1);
    first += weight * z;
    second += weight * z * z;
  }
  const moments = { first, second };
  knownMoments.set(count, moments);
  return moments;
}

interface NormalTable {
  /** Density and cumulative probability at -8, -8 + 1/64, ..., 8. */
  readonly density: Float64Array;
  readonly below: Float64Array;
}

let table: NormalTable | null = null;

function standardNormal(): NormalTable {
  if (table !== null) return table;
  const points = 2 * end * stepsPerUnit + 1;
  const density = new Float64Array(points);
  const below = new Float64Array(points);
  const step = 1 / stepsPerUnit;
  let sum = 0;
  for (let i = 0; i < points; i++) {
    const z = i * step - end;
    density[i] = pow(Math.E, (-z * z) / 2) / Math.sqrt(2 * Math.PI);
    // Trapezoids of the density with the Euler-Maclaurin term of their error.
    sum += (step * ((i === 0 ? 0 : density[i - 1]!) + density[i]!)) / 2;
    below[i] = Math.max(0, Math.min(1, sum + (step * step * z * density[i]!) / 12));
  }
  table = { density, below };
  return table;
}

/** Cumulative probability of a standard normal variable, by cubic interpolation of the table. */
function cumulative(z: number): number {
  if (z <= -end) return 0;
  if (z >= end) return 1;
  const { density, below } = standardNormal();
  const place = (z + end) * stepsPerUnit;
  const i = Math.floor(place);
  const t = place - i;
  const slopeFrom = density[i]! / stepsPerUnit;
  const slopeTo = density[i + 1]! / stepsPerUnit;
  const rise = below[i + 1]! - below[i]!;
  return below[i]! + t * (slopeFrom + t * (3 * rise - 2 * slopeFrom - slopeTo + t * (slopeFrom + slopeTo - 2 * rise)));
}
