import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { expectedRanksPerToken } from "../../src/models/ranks-per-token.ts";

const grouped = { count: 8, kept: 8, topKPerGroup: 1 };
const limited = { count: 8, kept: 4 };
type Routing = Parameters<typeof expectedRanksPerToken>[0];

function drawn(rng: RandomStream, items: number, count: number): number[] {
  const pool = Array.from({ length: items }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + rng.below(items - i);
    [pool[i], pool[j]] = [pool[j] as number, pool[i] as number];
  }
  return pool.slice(0, count);
}

/** Mean ranks over seeded tokens; groups are drawn first, then experts in them. */
function simulated({ experts, topK, ranks, groups }: Routing, tokens: number): number {
  const rng = new RandomStream(3, "ranks-per-token");
  const { count, kept, topKPerGroup } = { topKPerGroup: undefined, ...(groups ?? { count: 1, kept: 1 }) };
  const size = experts / count;
  let sum = 0;
  for (let token = 0; token < tokens; token++) {
    const within = drawn(rng, count, kept).map((group) => Array.from({ length: size }, (_, i) => group * size + i));
    const pools = topKPerGroup === undefined ? [within.flat()] : within;
    const chosen = pools.flatMap((pool) => drawn(rng, pool.length, topKPerGroup ?? topK).map((i) => pool[i] as number));
    sum += new Set(chosen.map((expert) => Math.floor((expert * ranks) / experts))).size;
  }
  return sum / tokens;
}

describe("ranks that a token reaches", () => {
  test("are one of one, at most top-k, and exactly top-k where every expert has its own", () => {
    for (const groups of [null, grouped, limited]) {
      expect(expectedRanksPerToken({ experts: 64, topK: 8, ranks: 1, groups })).toBeCloseTo(1, 12);
      expect(expectedRanksPerToken({ experts: 64, topK: 8, ranks: 64, groups })).toBeCloseTo(8, 12);
    }
  });

  test("are all ranks where each holds whole groups that all fire", () => {
    for (const ranks of [2, 4, 8])
      expect(expectedRanksPerToken({ experts: 64, topK: 8, ranks, groups: grouped })).toBeCloseTo(ranks, 12);
  });

  test("are never more than the groups kept where a rank holds one group", () => {
    const routing = { experts: 256, topK: 8, ranks: 8 };
    const limitedRanks = expectedRanksPerToken({ ...routing, groups: limited });
    expect(limitedRanks).toBeLessThan(4);
    expect(limitedRanks).toBeLessThan(0.8 * expectedRanksPerToken({ ...routing, groups: null }));
  });

  test.each([
    { experts: 64, topK: 8, ranks: 4, groups: null },
    { experts: 128, topK: 8, ranks: 16, groups: null },
    { experts: 64, topK: 8, ranks: 16, groups: grouped },
    { experts: 64, topK: 8, ranks: 4, groups: { count: 8, kept: 4, topKPerGroup: 2 } },
    { experts: 64, topK: 8, ranks: 32, groups: { count: 8, kept: 4, topKPerGroup: 2 } },
    { experts: 256, topK: 8, ranks: 2, groups: limited },
    { experts: 256, topK: 8, ranks: 4, groups: limited },
    { experts: 256, topK: 8, ranks: 8, groups: limited },
    { experts: 256, topK: 8, ranks: 32, groups: limited },
  ])("agree with seeded draws: %j", (routing) => {
    expect(Math.abs(expectedRanksPerToken(routing) / simulated(routing, 4000) - 1)).toBeLessThan(0.02);
  });
});
