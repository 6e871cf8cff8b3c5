import fc from "fast-check";
import { expect, test } from "vitest";
import { PositionSet } from "../../src/policy/offload/position-set.ts";

test("a position set agrees with a Set on membership, removal and the highest member", () => {
  const position = fc.oneof(fc.nat(40), fc.nat(99_999));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), position), { maxLength: 300 }), (steps) => {
      const positions = new PositionSet(100_000);
      const naive = new Set<number>();
      for (const [add, at] of steps) {
        if (add) {
          positions.add(at);
          naive.add(at);
        } else expect(positions.remove(at)).toBe(naive.delete(at));
        expect(positions.has(at)).toBe(naive.has(at));
        if (naive.size > 0) expect(positions.highest()).toBe(Math.max(...naive));
      }
    }),
  );
});

test("the last position of a large set can be used", () => {
  const size = 3_000_000;
  const positions = new PositionSet(size);
  positions.add(0);
  positions.add(size - 1);
  expect(positions.highest()).toBe(size - 1);
  positions.remove(size - 1);
  expect(positions.highest()).toBe(0);
});
