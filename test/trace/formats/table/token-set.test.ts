import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenSet } from "../../../../src/trace/formats/table/token-set.ts";
import { drawn } from "../../../drawn.ts";

test("a set of tokens equals a sorted list, however they come", () => {
  const near = fc.array(fc.nat(40), { minLength: 1, maxLength: 60 });
  const far = fc.array(fc.oneof(fc.nat(10_000), fc.nat(4_000_000_000)), { minLength: 1, maxLength: 40 });
  const run = fc.nat(9_000).map((from) => Array.from({ length: 5_000 }, (_value, i) => from + i));
  fc.assert(
    fc.property(
      fc.oneof(
        near,
        far,
        fc.tuple(run, near).map((parts) => parts.flat()),
      ),
      (tokens) => {
        const set = new TokenSet();
        const seen = new Set<number>();
        const wrong = tokens.filter((token) => {
          const isNew = !seen.has(token);
          seen.add(token);
          return set.add(token) !== isNew;
        });
        expect(wrong).toEqual([]);
        const sorted = [...seen].sort((a, b) => a - b);
        expect([set.size, set.first, set.end]).toEqual([sorted.length, sorted[0], sorted.at(-1)! + 1]);
        for (const rank of [0, Math.floor(sorted.length / 2), sorted.length - 1])
          expect(set.rank(sorted[rank]!)).toBe(rank);
      },
    ),
    { numRuns: drawn(60) },
  );
});
