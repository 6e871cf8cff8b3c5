import fc from "fast-check";
import { expect, test } from "vitest";
import { judgePrefetch, prefetching } from "./prefetch-cases.ts";

test("experts sent ahead take what they take event by event, in 2,000 cases", { timeout: 300_000 }, () => {
  let late = 0;
  fc.assert(
    fc.property(prefetching, (p) => {
      if (judgePrefetch(p).late > 0) late++;
    }),
    { numRuns: 2000, seed: 15 },
  );
  expect(late).toBeGreaterThan(200);
});
