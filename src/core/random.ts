import { InvariantError, refuse } from "./errors.ts";
import { philox4x32 } from "./philox.ts";
import { pow } from "./pow.ts";

const twoTo26 = 2 ** 26;
const twoTo32 = 2 ** 32;
const twoTo53 = 2 ** 53;
/** Third counter word: keeps consecutive draws, indexed draws and key derivation apart under one key. */
const sequentialDraws = 0;
const indexedDraws = 1;
const keyDerivation = 2;

/** Result of the stateless uses of the generator. */
const scratch = new Uint32Array(4);

/**
 * A named stream of random numbers, from the counter-based generator Philox4x32-10. The 64-bit key is derived from the
 * seed and the whole path of names, so a stream depends neither on the draws of any other stream nor on how many
 * streams there are.
 */
export class RandomStream {
  private readonly key0: number;
  private readonly key1: number;
  private readonly block = new Uint32Array(4);
  private used = 4;
  private blocksLow = 0;
  private blocksHigh = 0;

  /** @param origin seed, a whole number from 0 to 2^53 - 1, or the stream this one is a fork of. */
  constructor(origin: number | RandomStream, name: string) {
    if (typeof origin === "number") {
      if (!Number.isSafeInteger(origin) || origin < 0)
        refuse({ at: "seed", expected: "a whole number from 0 to 2^53 - 1", found: origin });
      deriveKey(origin, Math.floor(origin / twoTo32), name);
    } else {
      deriveKey(origin.key0, origin.key1, name);
    }
    this.key0 = scratch[0]! | 0;
    this.key1 = scratch[1]! | 0;
  }

  /** An independent stream; the same name always gives the same stream, whatever has been drawn before. */
  fork(name: string): RandomStream {
    return new RandomStream(this, name);
  }

  /** Uniform in [0, 1) with 53 random bits, a function of the stream and the index (0 to 2^53 - 1) alone. */
  at(index: number): number {
    philox4x32(scratch, index, index / twoTo32, indexedDraws, 0, this.key0, this.key1);
    return unitInterval(scratch[0]!, scratch[1]!);
  }

  /** 32 random bits as a number from 0 to 2^32 - 1. */
  uint32(): number {
    if (this.used > 3) this.refill();
    return this.block[this.used++]!;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  uniform(): number {
    if (this.used > 2) this.refill();
    const high = this.block[this.used]!;
    const low = this.block[this.used + 1]!;
    this.used += 2;
    return unitInterval(high, low);
  }

  /** Whole number from 0 to n - 1, every one equally likely; 1 <= n <= 2^53. */
  below(n: number): number {
    if (!(n >= 1 && n <= twoTo53 && n === Math.floor(n)))
      throw new InvariantError("random-range", `below(${n}) asks for no whole number from 1 to 2^53`);
    if (n <= twoTo32) return this.below32(n);
    const limit = twoTo53 - (twoTo53 % n);
    for (;;) {
      const draw = this.uniform() * twoTo53;
      if (draw < limit) return draw % n;
    }
  }

  /** Remainders of unsigned 32-bit integers take an instruction; those of other numbers a call. */
  private below32(n: number): number {
    const divisor = n >>> 0;
    if (divisor === 0) return this.uint32();
    const limit = twoTo32 - (((0 - divisor) >>> 0) % divisor);
    for (;;) {
      const draw = this.uint32() >>> 0;
      if (draw < limit) return draw % divisor;
    }
  }

  /** Puts values in an order in which every one is equally likely, in place (Fisher and Yates); returns them. */
  shuffle<Values extends unknown[] | Uint16Array | Uint32Array>(values: Values): Values {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [values[last], values[other]] = [values[other], values[last]];
    }
    return values;
  }

  /** Exponentially distributed with the given mean, by inversion. */
  exponential(mean = 1): number {
    return -mean * Math.log(1 - this.uniform());
  }

  /** Standard normal, by the Box-Muller transform; always takes two uniforms. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Gamma with mean shape * scale (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
  gamma(shape: number, scale: number): number {
    if (!(shape > 0 && shape < Infinity)) throw new InvariantError("gamma-shape", `shape ${shape} is not above 0`);
    if (shape < 1) {
      const boost = pow(1 - this.uniform(), 1 / shape);
      return this.gamma(shape + 1, scale) * boost;
    }
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const root = 1 + c * x;
      if (root <= 0) continue;
      const v = root * root * root;
      if (Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v * scale;
    }
  }

  private refill(): void {
    philox4x32(this.block, this.blocksLow, this.blocksHigh, sequentialDraws, 0, this.key0, this.key1);
    this.used = 0;
    this.blocksLow = (this.blocksLow + 1) | 0;
    if (this.blocksLow === 0) this.blocksHigh = (this.blocksHigh + 1) | 0;
  }
}

/** 27 bits of one word above 26 bits of the other. */
function unitInterval(high: number, low: number): number {
  return ((high >>> 5) * twoTo26 + (low >>> 6)) * (1 / twoTo53);
}

/**
 * Leaves in `scratch` the key of the child `name` of a key: the name's length, then its UTF-16 units four at a time,
 * each block enciphered under the key that the one before gave.
 */
function deriveKey(key0: number, key1: number, name: string): void {
  philox4x32(scratch, name.length, 0, keyDerivation, 0, key0, key1);
  for (let i = 0; i < name.length; i += 4) {
    const first = name.charCodeAt(i) | (name.charCodeAt(i + 1) << 16);
    const second = name.charCodeAt(i + 2) | (name.charCodeAt(i + 3) << 16);
    philox4x32(scratch, first, second, keyDerivation, 1, scratch[0]!, scratch[1]!);
  }
}
