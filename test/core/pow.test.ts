import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pow } from "../../src/core/pow.ts";
import { drawn } from "../drawn.ts";

const scaleBits = 220n;
const one = 1n << scaleBits;
const ln2 = 2n * atanh(one / 3n);

/** atanh of a fixed-point number by its series. */
function atanh(s: bigint): bigint {
  const square = (s * s) >> scaleBits;
  let sum = 0n;
  let power = s;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (power * square) >> scaleBits;
  }
  return sum;
}

/** A double as mantissa * 2^exponent. */
function exact(x: number): [bigint, number] {
  let exponent = 0;
  let mantissa = x;
  while (mantissa < 2 ** 52) {
    mantissa *= 2;
    exponent--;
  }
  while (mantissa >= 2 ** 53) {
    mantissa /= 2;
    exponent++;
  }
  return [BigInt(mantissa), exponent];
}

const shift = (x: bigint, by: bigint) => (by >= 0n ? x << by : x >> -by);

/** Error of pow(x, y) in units of its last place, where x^y = exp(y ln x) in 220-bit fixed point; x and the result positive and normal. */
function unitsInLastPlace(x: number, y: number): number {
  const [m, e] = exact(x);
  const fixed = m << (scaleBits - 52n);
  const ln = 2n * atanh(((fixed - one) << scaleBits) / (fixed + one)) + BigInt(e + 52) * ln2;
  const [ym, ye] = exact(Math.abs(y));
  const product = shift(ln * ym, BigInt(ye)) * (y < 0 ? -1n : 1n);
  const n = product / ln2;
  const rest = product - n * ln2;
  let sum = 0n;
  let term = one;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    sum += term;
    term = ((term * rest) >> scaleBits) / k;
  }
  const [rm, re] = exact(pow(x, y));
  const result = shift(rm, scaleBits + BigInt(re) - n);
  const lastPlace = shift(1n, scaleBits + BigInt(re) - n);
  return Number(((result - sum) << 80n) / lastPlace) / 2 ** 80;
}

describe("pow", () => {
  test("is within one unit in the last place of a 220-bit reference", () => {
    const x = fc.oneof(
      fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
      fc.double({ min: 0.5, max: 2, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    );
    const y = fc.oneof(fc.double({ min: -30, max: 30, noNaN: true }), fc.integer({ min: -300, max: 300 }));
    fc.assert(
      fc.property(x, y, (base, exponent) => {
        const size = Math.abs(exponent * Math.log2(base));
        fc.pre(exponent !== 0 && size < 1020 && size > 1e-8);
        expect(Math.abs(unitsInLastPlace(base, exponent))).toBeLessThan(1);
      }),
      { numRuns: drawn(1500) },
    );
  });

  test("agrees with the engine's own to two units in the last place where both are normal", () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(any, fc.oneof(any, fc.integer({ min: -400, max: 400 })), (x, y) => {
        // biome-ignore lint/style/useExponentiationOperator: the operator under comparison is the function.
        const expected = Math.pow(x, y);
        const found = pow(x, y);
        if (Number.isFinite(expected) && Math.abs(expected) > 2 ** -1022)
          expect(Math.abs(found - expected)).toBeLessThanOrEqual(2 ** -51 * Math.abs(expected));
        else if (Math.abs(expected) <= 2 ** -1022) expect(Math.abs(found - expected)).toBeLessThanOrEqual(2 ** -1073);
        else expect(found).toBe(expected);
      }),
      { numRuns: drawn(5000) },
    );
  });

  test("has the special cases of Math.pow", () => {
    const specials = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      1.5,
      Infinity,
      -Infinity,
      NaN,
      2 ** 53,
      2 ** 53 + 2,
      5e-324,
    ];
    for (const x of specials)
      for (const y of specials) {
        // biome-ignore lint/style/useExponentiationOperator: the function whose special cases these are.
        const expected = Math.pow(x, y);
        const found = pow(x, y);
        if (expected === 0 || !Number.isFinite(expected)) expect([x, y, found]).toEqual([x, y, expected]);
        else expect(found / expected).toBeCloseTo(1, 14);
      }
  });

  test("is exact where the result is a small whole power or a power of two", () => {
    for (let base = 2; base <= 20; base++) {
      let power = 1;
      for (let k = 1; power * base < 2 ** 53; k++) {
        power *= base;
        expect(pow(base, k)).toBe(power);
      }
    }
    for (let k = -1074; k < 1024; k++) expect(pow(2, k)).toBe(2 ** k);
  });
});
