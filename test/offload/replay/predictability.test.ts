import fc from "fast-check";
import { expect, test } from "vitest";
import { halvesOf } from "../../../src/offload/replay/folds.ts";
import { predictability } from "../../../src/offload/replay/predictability.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawn } from "../../drawn.ts";
import { anyTable, choicesOf, tokensTable } from "./tables.ts";

/** What each predictor should name for a token, from lists. */
function naive(judged: RoutingTable, fitting: RoutingTable, slots: number) {
  const { experts, layers, topK } = judged;
  const tally = { wanted: 0, right: 0, rightOfTwice: 0, misses: 0, fetches: 0, used: 0 };
  for (let layer = 1; layer < layers; layer++) {
    let list: number[] = [];
    for (let row = 0; row < judged.rows; row++) {
      const used = choicesOf(judged, row, layer);
      const above = choicesOf(judged, row, layer - 1);
      const score = (f: number): number =>
        above.reduce((sum, e) => {
          let both = 0;
          let either = 0;
          for (let other = 0; other < fitting.rows; other++) {
            if (!choicesOf(fitting, other, layer - 1).includes(e)) continue;
            either += 1;
            if (choicesOf(fitting, other, layer).includes(f)) both += 1;
          }
          return sum + both / Math.max(1, either);
        }, 0);
      const scores = Array.from({ length: experts }, (_, f) => score(f));
      const named = [...Array(experts).keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
      tally.wanted += used.length;
      tally.right += named.slice(0, topK).filter((e) => used.includes(e)).length;
      tally.rightOfTwice += named.slice(0, 2 * topK).filter((e) => used.includes(e)).length;
      tally.misses += used.filter((e) => !list.includes(e)).length;
      const fetches = named.slice(0, topK).filter((e) => !list.includes(e));
      tally.fetches += fetches.length;
      tally.used += fetches.filter((e) => used.includes(e)).length;
      list = [...list.filter((e) => !used.includes(e)), ...used].slice(-slots);
    }
  }
  return tally;
}

test("the next layer is guessed from counts of the other half, as lists say", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 2, max: 5 }), (table, slots) => {
      const halves = halvesOf(table)!;
      const found = predictability(halves, slots);
      if (table.layers === 1) {
        expect(found).toBeNull();
        return;
      }
      const [a, b] = [naive(halves[0], halves[1], slots), naive(halves[1], halves[0], slots)];
      const share = (part: keyof typeof a, whole: keyof typeof a) =>
        a[whole] + b[whole] === 0 ? 0 : (a[part] + b[part]) / (a[whole] + b[whole]);
      const next = found!.scores[0]!;
      expect(next.recall).toBeCloseTo(share("right", "wanted"), 12);
      expect(next.recallOfTwice).toBeCloseTo(share("rightOfTwice", "wanted"), 12);
      expect(next.missesNamed).toBeCloseTo(share("used", "misses"), 12);
      expect(next.fetchesUsed).toBeCloseTo(share("used", "fetches"), 12);
    }),
    { numRuns: drawn(40) },
  );
});

test("a layer that follows from the one before is known; tokens that repeat are known by the token before", () => {
  // Layer 1 is layer 0 shifted by one expert.
  const follows = tokensTable(
    Array.from({ length: 40 }, (_, row) => [[(row * 3) % 8], [(row * 3 + 1) % 8]]),
    8,
    [20, 20],
  );
  const [next, , popular] = predictability(halvesOf(follows)!, 2)!.scores;
  expect(next).toMatchObject({ recall: 1, precision: 1, missesNamed: 1, fetchesUsed: 1 });
  expect(popular!.recall).toBeCloseTo(1 / 8, 1);

  const repeats = tokensTable(
    Array.from({ length: 40 }, (_, row) => [[0], [Math.floor(row / 20)]]),
    8,
    [20, 20],
  );
  const previous = predictability(halvesOf(repeats)!, 1)!.scores[1]!;
  expect(previous.recall).toBe(19 / 20);
  expect(previous.precision).toBe(1);
  // What the token before used is resident: nothing is fetched for such a guess.
  expect([previous.missesNamed, previous.fetchesUsed]).toEqual([0, 0]);
});

test("nothing is learned from the rows that are judged", () => {
  // The two halves follow opposite rules: guesses of one are wrong in the other.
  const rows = Array.from({ length: 32 }, (_, row) => [[row % 4], [(row % 4) ^ (row < 16 ? 0 : 1)]]);
  const [next] = predictability(halvesOf(tokensTable(rows, 4, [16, 16]))!, 1)!.scores;
  expect(next!.recall).toBe(0);
});
