import fc from "fast-check";
import { expect, test } from "vitest";
import { contention, judge } from "./contention-cases.ts";

test("replicas on shared memory, disks and links take what they take event by event, in 2000 cases", () => {
  let waited = 0;
  fc.assert(
    fc.property(contention, (c) => {
      if (judge(c) > 0) waited++;
    }),
    { numRuns: 2000, seed: 29 },
  );
  expect(waited).toBeGreaterThan(1000);
});
