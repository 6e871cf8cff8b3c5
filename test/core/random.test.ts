import { describe, expect, test } from "vitest";
import { InvalidInputError, InvariantError } from "../../src/core/errors.ts";
import { philox4x32 } from "../../src/core/philox.ts";
import { RandomStream } from "../../src/core/random.ts";
import { mean, variance } from "../../src/core/statistics.ts";

const draws = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.uniform());

describe("Philox4x32-10", () => {
  // Known answers of Random123 1.14 (tests/kat_vectors): counter, key, result.
  const ones = 0xffffffff;
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ones, ones, ones, ones],
      [ones, ones],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)("gives the published answer for counter %j and key %j", ([c0, c1, c2, c3], [k0, k1], expected) => {
    const block = new Uint32Array(4);
    philox4x32(block, c0, c1, c2, c3, k0, k1);
    expect([...block]).toEqual(expected);
  });
});

describe("a random stream", () => {
  test("repeats itself for the same seed and name, and differs for another seed or name", () => {
    const first = draws(new RandomStream(1, "arrivals"), 100);
    expect(draws(new RandomStream(1, "arrivals"), 100)).toEqual(first);
    for (const other of [
      new RandomStream(2, "arrivals"),
      new RandomStream(1, "lengths"),
      new RandomStream(2 ** 32 + 1, "arrivals"),
    ])
      expect(draws(other, 100).filter((x, i) => x === first[i])).toEqual([]);
  });

  test("is not changed by draws from its parent, siblings or forks", () => {
    const undisturbed = draws(new RandomStream(1, "root").fork("b"), 50);
    const root = new RandomStream(1, "root");
    draws(root, 7);
    draws(root.fork("a"), 13);
    const b = root.fork("b");
    draws(b.fork("child"), 3);
    b.at(5);
    expect(draws(b, 50)).toEqual(undisturbed);
  });

  test("has no two equal keys among names that differ in length, order or one letter", () => {
    const names = ["", "a", "aa", "ab", "ba", "\0", "a\0", "arrivals", "arrival", "arrivalt", "\u0100", "a/b"];
    const numbered = Array.from({ length: 20_000 }, (_, i) => `request ${i}`);
    const root = new RandomStream(0, "");
    const firsts = new Set([...names, ...numbered].map((name) => root.fork(name).uniform()));
    expect(firsts.size).toBe(names.length + numbered.length);
    expect(root.fork("a").fork("b").uniform()).not.toBe(root.fork("ab").uniform());
    expect(root.fork("a").fork("b").uniform()).not.toBe(root.fork("b").fork("a").uniform());
  });

  test("gives draw n of `at` without the draws before it", () => {
    const stream = new RandomStream(3, "lengths");
    const forwards = Array.from({ length: 100 }, (_, i) => stream.at(i));
    draws(stream, 5);
    expect(Array.from({ length: 100 }, (_, i) => stream.at(99 - i)).reverse()).toEqual(forwards);
    expect(new Set([...forwards, stream.at(2 ** 32), stream.at(2 ** 33)]).size).toBe(102);
    const sequential = draws(new RandomStream(3, "lengths"), 200);
    expect(forwards.filter((x) => sequential.includes(x))).toEqual([]);
  });

  test("spreads uniformly, alone and against its neighbours", () => {
    const n = 100_000;
    const first = draws(new RandomStream(4, "x"), n);
    const second = draws(new RandomStream(4, "y"), n);
    const fork = new RandomStream(4, "x").fork("f");
    const indexed = Array.from({ length: n }, (_, i) => fork.at(i));
    for (const sample of [first, second, indexed]) {
      const cells = Array.from({ length: 100 }, () => 0);
      for (const x of sample) cells[Math.floor(x * 100)]! += 1;
      const chiSquared = cells.reduce((sum, cell) => sum + (cell - n / 100) ** 2 / (n / 100), 0);
      // 99 degrees of freedom: 148.2 is exceeded with probability 0.001.
      expect(chiSquared).toBeLessThan(148.2);
      expect(Math.min(...sample.slice(0, 1000))).toBeGreaterThanOrEqual(0);
      expect(Math.max(...sample.slice(0, 1000))).toBeLessThan(1);
    }
    const product = (a: number[], b: number[]) => mean(a.map((x, i) => (x - 0.5) * ((b[i] ?? NaN) - 0.5) * 12));
    // A correlation of independent samples has standard error 1 / sqrt(n).
    for (const correlation of [product(first, second), product(first.slice(1), first), product(first, indexed)])
      expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(n));
  });

  test("draws whole numbers below n equally often, for small n and for n beyond 32 bits", () => {
    const stream = new RandomStream(5, "below");
    const counts = Array.from({ length: 6 }, () => 0);
    for (let i = 0; i < 60_000; i++) counts[stream.below(6)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(stream.below(1)).toBe(0);
    // Two thirds of 2^32: without rejection the lower half would come up twice as often.
    const wide = Math.floor((2 / 3) * 2 ** 32);
    let low = 0;
    for (let i = 0; i < 20_000; i++) if (stream.below(wide) < wide / 2) low++;
    expect(Math.abs(low - 10_000)).toBeLessThan(300);
    const large = Array.from({ length: 1000 }, () => stream.below(2 ** 53));
    expect(large.every((x) => Number.isSafeInteger(x))).toBe(true);
    expect(Math.max(...large)).toBeGreaterThan(2 ** 52);
  });

  test("a whole number below n is the remainder of the first 32-bit draw under the largest multiple of n, up to n = 2^32", () => {
    for (const n of [2, 3, 6, 641, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2863311530, 2 ** 32 - 1, 2 ** 32]) {
      const stream = new RandomStream(6, "below");
      const words = new RandomStream(6, "below");
      for (let i = 0; i < 100; i++) {
        let word = words.uint32();
        while (word >= 2 ** 32 - (2 ** 32 % n)) word = words.uint32();
        expect(stream.below(n)).toBe(word % n);
      }
    }
  });

  test.each([
    ["exponential", (s: RandomStream) => s.exponential(3), 3, 9],
    ["normal", (s: RandomStream) => s.normal(), 0, 1],
    ["gamma of shape 2.5", (s: RandomStream) => s.gamma(2.5, 2), 5, 10],
    ["gamma of shape 0.4", (s: RandomStream) => s.gamma(0.4, 5), 2, 10],
  ] as const)("draws %s numbers with the right mean and variance", (name, draw, expectedMean, expectedVariance) => {
    const stream = new RandomStream(6, name);
    const sample = Array.from({ length: 100_000 }, () => draw(stream));
    const error = Math.sqrt(expectedVariance / sample.length);
    expect(Math.abs(mean(sample) - expectedMean)).toBeLessThan(4 * error);
    expect(variance(sample) / expectedVariance).toBeGreaterThan(0.94);
    expect(variance(sample) / expectedVariance).toBeLessThan(1.06);
  });

  test("shuffles into every order equally often, and leaves what it is given to shuffle together", () => {
    const stream = new RandomStream(5, "orders");
    const times = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = stream.shuffle(Uint16Array.of(0, 1, 2, 3));
      times.set(order.join(""), (times.get(order.join("")) ?? 0) + 1);
    }
    expect(times.size).toBe(24);
    // Each of 24 orders 1,000 times, with a standard deviation of 31.
    for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(140);
    const values = ["a", "b", "c", "b"];
    expect(stream.shuffle(values)).toBe(values);
    expect([...values].sort()).toEqual(["a", "b", "b", "c"]);
  });

  test("refuses a seed that is not a whole number in range", () => {
    for (const seed of [-1, 0.5, NaN, 2 ** 53, Infinity])
      expect(() => new RandomStream(seed, "x")).toThrow(InvalidInputError);
  });

  test("refuses ranges and shapes for which no draw exists", () => {
    const stream = new RandomStream(7, "refused");
    for (const n of [0, -1, 1.5, NaN, 2 ** 54]) expect(() => stream.below(n)).toThrow(InvariantError);
    for (const shape of [0, -1, NaN, Infinity]) expect(() => stream.gamma(shape, 1)).toThrow(InvariantError);
  });
});
