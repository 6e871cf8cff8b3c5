import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { expectedRanksPerToken } from "../../src/models/ranks-per-token.ts";
import { choices, drawnChoice, grouped, limited, placedInTurn } from "./drawn-routing.ts";

type Routing = Parameters<typeof expectedRanksPerToken>[0];

/** Mean ranks over seeded tokens. */
function simulated(routing: Routing, tokens: number): number {
  const rng = new RandomStream(3, "ranks-per-token");
  const rankOf = placedInTurn(routing.experts, routing.ranks);
  let sum = 0;
  for (let token = 0; token < tokens; token++)
    sum += new Set(drawnChoice(rng, routing).map((expert) => rankOf[expert])).size;
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
    { experts: 256, topK: 8, ranks: 3, groups: limited },
    { experts: 256, topK: 8, ranks: 12, groups: limited },
    { experts: 256, topK: 8, ranks: 72, groups: limited },
    { experts: 256, topK: 8, ranks: 5, groups: grouped },
    { experts: 256, topK: 8, ranks: 24, groups: { count: 8, kept: 4, topKPerGroup: 2 } },
    { experts: 256, topK: 8, ranks: 144, groups: null },
    { experts: 256, topK: 8, ranks: 1000, groups: null },
  ])("agree with seeded draws: %j", (routing) => {
    expect(Math.abs(expectedRanksPerToken(routing) / simulated(routing, 4000) - 1)).toBeLessThan(0.02);
  });

  test("gain at most one with one rank more, up to 1,024, change by two at most where groups come apart, and never exceed top-k", () => {
    for (const groups of [null, grouped, limited]) {
      let before = 1;
      for (let ranks = 1; ranks <= 1024; ranks++) {
        const reached = expectedRanksPerToken({ experts: 256, topK: 8, ranks, groups });
        expect(Math.abs(reached - before)).toBeLessThanOrEqual(groups === null ? 1 + 1e-9 : 2);
        expect(reached).toBeLessThanOrEqual(8 + 1e-9);
        if (groups === null) expect(reached).toBeGreaterThanOrEqual(before - 1e-9);
        before = reached;
      }
    }
  });

  test.each([null, { count: 3, kept: 2 }, { count: 3, kept: 2, topKPerGroup: 2 }])(
    "are counted exactly over every choice, whether or not ranks divide experts: %j",
    (groups) => {
      const [experts, topK] = [12, 4];
      const chosen = everyChoice(experts, topK, groups);
      for (let ranks = 1; ranks <= 14; ranks++) {
        const rankOf = placedInTurn(experts, ranks);
        const reached = chosen.reduce((sum, ids) => sum + new Set(ids.map((id) => rankOf[id])).size, 0);
        expect(expectedRanksPerToken({ experts, topK, ranks, groups })).toBeCloseTo(reached / chosen.length, 10);
      }
    },
  );
});

/** All equally likely choices of experts of one token. */
function everyChoice(experts: number, topK: number, groups: Routing["groups"]): number[][] {
  if (groups === null) return choices(experts, topK);
  const size = experts / groups.count;
  const within = choices(size, groups.topKPerGroup ?? 0);
  return choices(groups.count, groups.kept).flatMap((kept) => {
    const ids = kept.map((group) => Array.from({ length: size }, (_, i) => group * size + i));
    if (groups.topKPerGroup === undefined)
      return choices(ids.flat().length, topK).map((at) => at.map((i) => ids.flat()[i] as number));
    return ids.reduce<number[][]>(
      (all, group) => all.flatMap((start) => within.map((at) => [...start, ...at.map((i) => group[i] as number)])),
      [[]],
    );
  });
}
