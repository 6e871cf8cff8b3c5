import fc from "fast-check";
import { expect, test } from "vitest";
import { PositionSet } from "../../src/policy/cache/position-set.ts";
import { drawn } from "../drawn.ts";

const size = 100_000;
const position = fc.oneof(fc.nat(70), fc.nat(size - 1));
const step = fc.oneof(
  position.map((at) => ({ kind: "add" as const, at })),
  fc
    .tuple(position, fc.nat(80))
    .map(([at, length]) => ({ kind: "range" as const, at, to: Math.min(size, at + length) })),
  fc.constant({ kind: "highest" as const }),
);

test("a position set agrees with a Set on members, ranges and the highest member", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const positions = new PositionSet(size);
      const naive = new Set<number>();
      const was = new Uint8Array(80);
      for (const each of steps) {
        if (each.kind === "add") {
          positions.add(each.at);
          naive.add(each.at);
          expect(positions.has(each.at)).toBe(true);
        } else if (each.kind === "range") {
          const expected = Array.from({ length: each.to - each.at }, (_, i) => (naive.delete(each.at + i) ? 1 : 0));
          const taken = positions.takeRange(each.at, each.to, was);
          expect([...was.subarray(0, expected.length)]).toEqual(expected);
          expect(taken).toBe(expected.filter((bit) => bit === 1).length);
          expect(positions.has(each.at)).toBe(naive.has(each.at));
        } else if (naive.size > 0) {
          const highest = Math.max(...naive);
          expect(positions.takeHighest()).toBe(highest);
          naive.delete(highest);
        }
      }
    }),
    { numRuns: drawn(200) },
  );
});

test("the first and last positions of sets of every depth can be used", () => {
  for (const each of [1, 32, 33, 1024, 1025, 3_000_000]) {
    const positions = new PositionSet(each);
    positions.add(0);
    positions.add(each - 1);
    expect(positions.takeHighest()).toBe(each - 1);
    if (each > 1) expect(positions.takeHighest()).toBe(0);
    positions.add(0);
    expect(positions.takeHighest()).toBe(0);
  }
});
