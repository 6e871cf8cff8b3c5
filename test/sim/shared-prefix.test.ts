import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { generateSharedPrefix } from "../../src/trace/requests/generate/shared-prefix.ts";
import { testConfig, testNode } from "./build.ts";

/** Runs groups x prompts of a fixed prefix one by one, so that each finds what those before it left. */
function hits(
  groups: number,
  promptsPerGroup: number,
  prefixTokens: number,
  blockTokens: number,
  order: "shuffled" | "grouped",
) {
  const requests = generateSharedPrefix(
    {
      arrivals: { kind: "constant", ratePerSecond: 1 },
      groups,
      promptsPerGroup,
      prefix: { kind: "fixed", tokens: prefixTokens },
      question: { kind: "fixed", tokens: 40 },
      output: { kind: "fixed", tokens: 2 },
      order,
    },
    new RandomStream(1, "traffic"),
  );
  const base = testConfig();
  return simulate(
    testConfig({
      node: testNode({ memoryBytes: 4e9 }),
      scheduler: { ...base.scheduler, prefixCaching: true, blockTokens },
      routing: { kind: "uniform" },
      workload: { kind: "open", requests },
    }),
  ).kv;
}

describe("prefix hits of groups x prompts", () => {
  test.each([
    { prefix: 96, block: 16 },
    { prefix: 100, block: 16 },
    { prefix: 90, block: 32 },
    { prefix: 500, block: 128 },
    { prefix: 10, block: 16 },
    { prefix: 250, block: 1 },
  ])(
    "are all but the first of each group, in whole blocks: prefix $prefix, KV blocks of $block",
    ({ prefix, block }) => {
      const unit = Math.max(16, block);
      const whole = Math.floor(prefix / unit) * unit;
      for (const order of ["shuffled", "grouped"] as const) {
        const kv = hits(6, 5, prefix, block, order);
        expect(kv.prefixHitTokens).toBe(6 * (5 - 1) * whole);
        expect(kv.prefixLookupTokens).toBe(6 * 5 * (prefix + 40));
      }
    },
  );
});
