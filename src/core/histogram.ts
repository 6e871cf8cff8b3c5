import { InvariantError } from "./errors.ts";

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Index of the word of `words` that holds sign, exponent and the top of the mantissa. */
const highWord = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Buckets per power of two: seven bits of mantissa. */
const bucketsPerOctave = 128;
const smallestNormal = 2 ** -1022;

/**
 * Counts of non-negative values in buckets that share exponent and the first seven bits of mantissa of the double, so
 * a value is known to a relative error of 1/257 (below 2^-8). Counts are whole numbers: the result depends neither on
 * the order of values nor on how parts were merged. Values below 2^-1022 count as 0.
 *
 * Memory: 8 bytes for each bucket between the smallest and the largest value, 1 KiB per factor of two.
 */
export class LogHistogram {
  /** Number of values recorded. */
  count = 0;
  private zeros = 0;
  private smallest = Infinity;
  private largest = -Infinity;
  private firstOctave = 0;
  private buckets = new Float64Array(0);
  /** Per octave, the sum of the first 20 bits of mantissa: gives a mean that does not depend on order. */
  private mantissas = new Float64Array(0);

  /** Counts a finite value >= 0, `count` times. */
  record(value: number, count = 1): void {
    if (!(value >= 0 && value < Infinity)) refuseValue(value);
    this.count += count;
    if (value < this.smallest) this.smallest = value;
    if (value > this.largest) this.largest = value;
    if (value < smallestNormal) {
      this.zeros += count;
      return;
    }
    float[0] = value;
    const high = words[highWord]!;
    let octave = (high >>> 20) - this.firstOctave;
    if (octave < 0 || octave >= this.mantissas.length) {
      this.cover(high >>> 20);
      octave = (high >>> 20) - this.firstOctave;
    }
    this.buckets[(high >>> 13) - this.firstOctave * bucketsPerOctave]! += count;
    this.mantissas[octave]! += (high & 0xfffff) * count;
  }

  /** Mean to a relative error of 2^-21; NaN when empty. */
  mean(): number {
    let sum = 0;
    for (let octave = 0; octave < this.mantissas.length; octave++) {
      let inOctave = 0;
      for (let i = 0; i < bucketsPerOctave; i++) inOctave += this.buckets[octave * bucketsPerOctave + i]!;
      if (inOctave === 0) continue;
      sum +=
        lowerEdge((this.firstOctave + octave) * bucketsPerOctave) *
        (inOctave + (this.mantissas[octave]! + inOctave / 2) / 2 ** 20);
    }
    return sum / this.count;
  }

  /** Smallest value, exact; NaN when empty. */
  min(): number {
    return this.count === 0 ? NaN : this.smallest;
  }

  /** Largest value, exact; NaN when empty. */
  max(): number {
    return this.count === 0 ? NaN : this.largest;
  }

  /** Quantile by the convention of {@link quantile} (type 7), to a relative error of 1/257; NaN when empty. */
  quantile(p: number): number {
    if (!(p >= 0 && p <= 1)) throw new InvariantError("quantile-level", `p = ${p} is not between 0 and 1`);
    if (this.count === 0) return NaN;
    const place = (this.count - 1) * p;
    const rank = Math.floor(place);
    const low = this.atRank(rank);
    if (rank === place) return low;
    return low + (place - rank) * (this.atRank(rank + 1) - low);
  }

  /** Adds the counts of another histogram. */
  merge(other: LogHistogram): void {
    this.count += other.count;
    this.zeros += other.zeros;
    this.smallest = Math.min(this.smallest, other.smallest);
    this.largest = Math.max(this.largest, other.largest);
    if (other.mantissas.length === 0) return;
    this.cover(other.firstOctave);
    this.cover(other.firstOctave + other.mantissas.length - 1);
    const shift = other.firstOctave - this.firstOctave;
    for (let i = 0; i < other.mantissas.length; i++) this.mantissas[i + shift]! += other.mantissas[i]!;
    const bucketShift = shift * bucketsPerOctave;
    for (let i = 0; i < other.buckets.length; i++) this.buckets[i + bucketShift]! += other.buckets[i]!;
  }

  /** Count, extremes, mean and the occupied buckets as [lower edge, count], ascending. */
  toJSON(): {
    count: number;
    min: number | null;
    max: number | null;
    mean: number | null;
    buckets: [number, number][];
  } {
    const buckets: [number, number][] = this.zeros > 0 ? [[0, this.zeros]] : [];
    for (let i = 0; i < this.buckets.length; i++) {
      const inBucket = this.buckets[i]!;
      if (inBucket > 0) buckets.push([lowerEdge(this.firstOctave * bucketsPerOctave + i), inBucket]);
    }
    if (this.count === 0) return { count: 0, min: null, max: null, mean: null, buckets };
    return { count: this.count, min: this.smallest, max: this.largest, mean: this.mean(), buckets };
  }

  /** The value with `rank` values before it, as its bucket represents it, kept between the extremes. */
  atRank(rank: number): number {
    if (this.count === 0) return NaN;
    if (rank === 0) return this.smallest;
    if (rank >= this.count - 1) return this.largest;
    let before = this.zeros;
    if (rank < before) return 0;
    for (let i = 0; i < this.buckets.length; i++) {
      before += this.buckets[i]!;
      if (rank < before) {
        const bucket = this.firstOctave * bucketsPerOctave + i;
        return Math.min(this.largest, Math.max(this.smallest, representative(bucket)));
      }
    }
    return this.largest;
  }

  /** Widens the buckets to include an octave. */
  private cover(octave: number): void {
    const octaves = this.mantissas.length;
    const first = octaves === 0 ? octave : Math.min(this.firstOctave, octave);
    const last = octaves === 0 ? octave : Math.max(this.firstOctave + octaves - 1, octave);
    if (octaves === last - first + 1) return;
    const buckets = new Float64Array((last - first + 1) * bucketsPerOctave);
    const mantissas = new Float64Array(last - first + 1);
    buckets.set(this.buckets, octaves === 0 ? 0 : (this.firstOctave - first) * bucketsPerOctave);
    mantissas.set(this.mantissas, octaves === 0 ? 0 : this.firstOctave - first);
    this.buckets = buckets;
    this.mantissas = mantissas;
    this.firstOctave = first;
  }
}

function lowerEdge(bucket: number): number {
  words[highWord] = bucket << 13;
  words[1 - highWord] = 0;
  return float[0]!;
}

/** The harmonic mean of a bucket's edges: the same relative error at both. */
function representative(bucket: number): number {
  const low = lowerEdge(bucket);
  const mantissa = 1 + (bucket % bucketsPerOctave) / bucketsPerOctave;
  const ratio = (mantissa + 1 / bucketsPerOctave) / mantissa;
  return (2 * low * ratio) / (1 + ratio);
}

function refuseValue(value: number): never {
  throw new InvariantError("histogram-range", `${value} is not a finite value >= 0`);
}
