import fc from "fast-check";
import { expect, test } from "vitest";
import { bitReversedOrder, selectSequences } from "../../../src/trace/select-sequences.ts";

const facts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 60 })
  .map((sequences) => ({
    lengths: sequences.map(([length]) => length),
    domainOf: sequences.map(([, domain]) => domain),
  }));

test("a selection never exceeds its budget, and takes everything when everything fits", () => {
  fc.assert(
    fc.property(facts, fc.integer({ min: 1, max: 2_000 }), (of, rowsMax) => {
      const { rows, rowsTotal } = selectSequences(of, rowsMax);
      const total = of.lengths.reduce((sum, length) => sum + length, 0);
      expect(rows.reduce((sum, length) => sum + length, 0)).toBe(rowsTotal);
      expect(rowsTotal).toBeLessThanOrEqual(rowsMax);
      if (total <= rowsMax) expect(rows).toEqual(of.lengths);
    }),
  );
});

test("sequences are whole, but for at most one per domain", () => {
  fc.assert(
    fc.property(facts, fc.integer({ min: 1, max: 500 }), (of, rowsMax) => {
      const { rows, cut } = selectSequences(of, rowsMax);
      const short = rows.flatMap((taken, i) => (taken > 0 && taken < of.lengths[i]! ? [of.domainOf[i]] : []));
      expect(short.length).toBe(cut);
      expect(new Set(short).size).toBe(short.length);
    }),
  );
});

test("a domain gets an even share, and what a small domain leaves goes to the large ones", () => {
  const lengths = [...Array.from({ length: 100 }, () => 10), ...Array.from({ length: 100 }, () => 10), 20];
  const domainOf = lengths.map((_length, i) => (i < 100 ? 0 : i < 200 ? 1 : 2));
  const { rows } = selectSequences({ lengths, domainOf }, 420);
  const taken = [0, 1, 2].map((domain) => rows.filter((_rows, i) => domainOf[i] === domain).reduce((a, b) => a + b, 0));
  expect(taken).toEqual([200, 200, 20]);
});

test("bit-reversed order visits every place once and any start of it is spread out", () => {
  expect([...bitReversedOrder(8)]).toEqual([0, 4, 2, 6, 1, 5, 3, 7]);
  for (const count of [0, 1, 2, 5, 33])
    expect([...bitReversedOrder(count)].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
});
