import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fewestReplicas } from "../../../src/plan/day/fewest-replicas.ts";
import { drawn } from "../../drawn.ts";

/** A search where at least `needed` of each kind hold; every missing one is a miss. */
async function search(base: readonly number[], needed: readonly number[], most = 1000) {
  const tried: string[] = [];
  const found = await fewestReplicas(base, most, (counts) => {
    tried.push(counts.join(" "));
    const misses = counts.reduce((sum, count, kind) => sum + Math.max(0, needed[kind]! - count), 0);
    return Promise.resolve({ holds: misses === 0, misses });
  });
  return { found, tried };
}

describe("the fewest replicas", () => {
  test("are found, in runs that grow with the logarithm, none of them twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 900 }), async (needed) => {
        const { found, tried } = await search([1], [needed]);
        expect(found).toEqual({ counts: [needed], oneMoreHolds: true });
        expect(new Set(tried).size).toBe(tried.length);
        expect(tried.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(needed + 1)) + 3);
      }),
      { numRuns: drawn(60), seed: 1 },
    );
  });

  test("are found kind by kind, whatever the proportions that the search begins with", async () => {
    const few = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(few, few, async (base, needed) => {
        const kinds = Math.min(base.length, needed.length);
        const { found } = await search(base.slice(0, kinds), needed.slice(0, kinds));
        expect(found).toEqual({ counts: needed.slice(0, kinds), oneMoreHolds: true });
      }),
      { numRuns: drawn(60), seed: 2 },
    );
  });

  test("do not exist beyond the most, nor where more do not help", async () => {
    expect((await search([1], [9], 8)).found!.counts).toEqual([]);
    expect((await search([1], [8], 8)).found!.counts).toEqual([8]);
    expect((await search([2, 1], [9, 2], 11)).found!.counts).toEqual([]);
    const runs: number[] = [];
    const hopeless = await fewestReplicas([1], 1e6, ([count]) => {
      runs.push(count!);
      return Promise.resolve({ holds: false, misses: count! < 4 ? 10 - count! : 5 });
    });
    expect(hopeless!.counts).toEqual([]);
    expect(runs).toEqual([1, 2, 4, 8, 16]);
  });

  test("are doubted where one more does not hold, and given up by whoever tries them", async () => {
    const odd = (counts: readonly number[]) => Promise.resolve({ holds: counts[0] === 4, misses: 10 - counts[0]! });
    expect(await fewestReplicas([1], 100, odd)).toEqual({ counts: [4], oneMoreHolds: false });
    let runs = 0;
    expect(
      await fewestReplicas([1], 100, () => Promise.resolve(runs++ < 2 ? { holds: false, misses: 9 - runs } : null)),
    ).toBeNull();
    await expect(fewestReplicas([1], 100, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});
