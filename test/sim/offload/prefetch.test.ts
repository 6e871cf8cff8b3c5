import fc from "fast-check";
import { expect, test } from "vitest";
import { judgePrefetch, prefetching } from "./prefetch-cases.ts";

test("experts sent ahead take what they take event by event, to the nanosecond", () => {
  const seen = { followed: 0, useful: 0, late: 0, preempted: 0, evicted: 0, unused: 0, refused: 0 };
  fc.assert(
    fc.property(prefetching, (p) => {
      const naive = judgePrefetch(p);
      for (const key of Object.keys(seen) as (keyof typeof seen)[]) if (naive[key] > 0) seen[key]++;
    }),
    { numRuns: 60, seed: 5 },
  );
  // All that can become of a guess is met.
  for (const cases of Object.values(seen)) expect(cases).toBeGreaterThan(3);
});
