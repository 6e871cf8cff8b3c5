import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CacheGroup, Holding } from "../../../src/sim/memory/holding.ts";
import { drawn } from "../../drawn.ts";

const group: fc.Arbitrary<CacheGroup> = fc.oneof(
  fc.record({ kind: fc.constant("full" as const), blockTokens: fc.integer({ min: 1, max: 20 }), copies: fc.nat(3) }),
  fc.record({
    kind: fc.constant("window" as const),
    blockTokens: fc.integer({ min: 1, max: 20 }),
    copies: fc.nat(3),
    windowTokens: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ kind: fc.constant("state" as const), copies: fc.nat(3) }),
);
const groups = fc.array(group, { minLength: 1, maxLength: 4 });
const steps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

/** Blocks with a token that a step needs, counted token by token. */
function counted(group: CacheGroup, computed: number, tokens: number): number {
  if (group.kind === "state") return group.copies;
  const blocks = new Set<number>();
  for (let token = 0; token < tokens; token++) {
    const seen = group.kind === "full" || token > computed - group.windowTokens;
    if (seen) blocks.add(Math.floor(token / group.blockTokens));
  }
  return group.copies * blocks.size;
}

describe("what a sequence holds", () => {
  test("is the blocks of the tokens that its step sees, counted one by one", () => {
    fc.assert(
      fc.property(groups, fc.nat(120), fc.integer({ min: 1, max: 50 }), (all, computed, step) => {
        const holding = new Holding(all);
        const tokens = computed + step;
        const of = (full: boolean) =>
          all
            .filter(({ kind }) => (kind === "full") === full)
            .reduce((sum, one) => sum + counted(one, computed, tokens), 0);
        expect(holding.fullBlocks(tokens)).toBe(of(true));
        expect(holding.passingBlocks(computed, tokens)).toBe(of(false));
      }),
    );
  });

  test("grows with the tokens of the step, and stays below its peak, which grows with the sequence", () => {
    fc.assert(
      fc.property(groups, steps, (all, chunks) => {
        const holding = new Holding(all);
        const longest = Math.max(...chunks);
        const total = chunks.reduce((sum, chunk) => sum + chunk, 0);
        let computed = 0;
        for (const chunk of chunks) {
          let before = -1;
          for (let tokens = computed + 1; tokens <= computed + chunk; tokens++) {
            const held = holding.fullBlocks(tokens) + holding.passingBlocks(computed, tokens);
            expect(held).toBeGreaterThanOrEqual(before);
            expect(held).toBeLessThanOrEqual(holding.peakBlocks(total, longest));
            before = held;
          }
          computed += chunk;
        }
        for (let tokens = 1; tokens < total; tokens++)
          expect(holding.peakBlocks(tokens, longest)).toBeLessThanOrEqual(holding.peakBlocks(tokens + 1, longest));
      }),
      { numRuns: drawn(40) },
    );
  });

  test("of a window is constant while a sequence decodes, but for the block it is in", () => {
    const window = new Holding([{ kind: "window", blockTokens: 16, copies: 1, windowTokens: 128 }]);
    const held = Array.from({ length: 500 }, (_, i) => window.passingBlocks(1000 + i, 1001 + i));
    expect(new Set(held)).toEqual(new Set([8, 9]));
  });
});
