import fc from "fast-check";
import { expect, test } from "vitest";
import { ExpertRanks } from "../../../src/sim/routing/expert-ranks.ts";
import { RoutingReplay } from "../../../src/sim/routing/routing-replay.ts";
import { noExpertId, type RoutingTable } from "../../../src/trace/routing-table.ts";
import { drawn } from "../../drawn.ts";
import { testRouting, withoutSome } from "../build.ts";

const options = (table: RoutingTable, start: "zero" | "random", ordered: boolean) =>
  ({ start, seed: 3, domainOf: () => -1, ordered, table }) as const;

/** Counts by the definition: position p of a request reads row start + p, round the table. */
function naiveCounts(table: RoutingTable, startRow: number, done: number, tokens: number): number[] {
  const counts = Array.from({ length: table.layers * (table.experts + 1) }, () => 0);
  for (let p = done; p < done + tokens; p++) {
    const row = (startRow + p) % table.rows;
    for (let layer = 0; layer < table.layers; layer++)
      for (let k = 0; k < table.topK; k++) {
        const id = table.ids[(row * table.layers + layer) * table.topK + k] ?? 0;
        const at = layer * (table.experts + 1) + id;
        counts[at] = (counts[at] ?? 0) + 1;
      }
  }
  return counts;
}

for (const topK of [1, 2, 3, 6, 8]) {
  test(`chunks of any place and length count what a row-by-row count does, top-${topK}`, () => {
    const table = withoutSome(testRouting(3, 16, topK, 700, topK), 0.2);
    const fast = new RoutingReplay(table, 1, options(table, "zero", false));
    const ordered = new RoutingReplay(table, 1, options(table, "zero", true));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 1500 }), (done, tokens) => {
        for (const replay of [fast, ordered]) {
          const step = replay.newStep();
          replay.read(step, 0, done, tokens);
          expect([...step.counts]).toEqual(naiveCounts(table, 0, done, tokens));
        }
      }),
      { numRuns: drawn(60) },
    );
  });
}

test("start zero gives each request the next sequence of its domain", () => {
  const table: RoutingTable = {
    ...testRouting(1, 8, 2, 100),
    sequenceStarts: Uint32Array.of(0, 30, 60, 100),
    domains: ["a", "b"],
    domainStarts: Uint32Array.of(0, 60, 100),
  };
  const replay = new RoutingReplay(table, 5, {
    start: "zero",
    seed: 1,
    domainOf: (request) => (request === 4 ? 1 : 0),
    ordered: false,
  });
  const starts = [0, 30, 0, 30, 60];
  for (const [request, start] of starts.entries()) {
    const step = replay.newStep();
    replay.read(step, request, 0, 1);
    expect([...step.counts]).toEqual(naiveCounts(table, start, 0, 1));
  }
});

test("a request never reads rows of another domain", () => {
  const base = testRouting(1, 8, 1, 100);
  // Domain b holds expert 7 only.
  const ids = Uint8Array.from(base.ids, (id, row) => (row >= 60 ? 7 : id % 7));
  const table: RoutingTable = {
    ...base,
    ids,
    sequenceStarts: Uint32Array.of(0, 60, 100),
    domains: ["a", "b"],
    domainStarts: Uint32Array.of(0, 60, 100),
  };
  const replay = new RoutingReplay(table, 2, { start: "random", seed: 1, domainOf: (r) => r, ordered: false });
  const step = replay.newStep();
  replay.read(step, 0, 0, 500);
  expect(step.counts[7]).toBe(0);
  replay.read(step, 1, 0, 500);
  expect(step.counts[7]).toBe(500);
});

test("experts in order are the distinct ones, as first met; choices without an expert are passed over", () => {
  const table = withoutSome(testRouting(2, 8, 3, 50), 0.3);
  const replay = new RoutingReplay(table, 1, options(table, "zero", true));
  const step = replay.newStep();
  replay.read(step, 0, 10, 4);
  const expected: number[] = [];
  for (let row = 10; row < 14; row++)
    for (let k = 0; k < 3; k++) {
      const id = table.ids[(row * 2 + 1) * 3 + k] ?? 0;
      if (id !== noExpertId(table) && !expected.includes(id)) expected.push(id);
    }
  const out = new Uint32Array(8);
  const count = replay.distinctInOrder(step, 1, out);
  expect([...out.subarray(0, count)]).toEqual(expected);
});

test("replicas conserve an expert's tokens and differ by one at most", () => {
  const placement = {
    layers: 1,
    experts: 4,
    ranks: 3,
    physicalExpertsPerRank: 2,
    logicalExperts: Uint16Array.of(0, 1, 0, 2, 0, 3),
  };
  const expertRanks = new ExpertRanks(placement, [0]);
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 5, maxLength: 5 }), (tokens) => {
      const work = expertRanks.newWork();
      expertRanks.split(Uint32Array.from(tokens), work);
      const [a = 0, b = 0, c = 0, d = 0, skipped] = tokens;
      const { pairs, distinct, none } = work;
      expect([...none]).toEqual([skipped]);
      expect(pairs.reduce((sum, value) => sum + value, 0)).toBe(a + b + c + d);
      const shares = [(pairs[0] ?? 0) - b, (pairs[1] ?? 0) - c, (pairs[2] ?? 0) - d];
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      const touched = Math.min(a, 3) + Number(b > 0) + Number(c > 0) + Number(d > 0);
      expect(distinct.reduce((sum, value) => sum + value, 0)).toBe(touched);
    }),
  );
});

test("a token spreads over the ranks of its experts at the recorded layer that a layer replays", () => {
  // Layer 0 keeps both experts of a row on one rank, layer 1 never does.
  const table = { ...testRouting(2, 4, 2, 2), ids: Uint8Array.of(0, 1, 0, 2, 3, 2, 3, 1) };
  const placement = { layers: 3, experts: 4, ranks: 2, physicalExpertsPerRank: 2, logicalExperts: new Uint16Array(12) };
  for (let slot = 0; slot < 12; slot++) placement.logicalExperts[slot] = slot % 4;
  const expertRanks = new ExpertRanks(placement, [1, 0, 1]);
  expect([...expertRanks.meanSpread(table)]).toEqual([2, 1, 2]);
  // Layer 0 of the first row has one expert left, layer 1 none.
  const fewer = { ...table, ids: Uint8Array.of(0, 4, 4, 4, 3, 2, 3, 1) };
  expect([...expertRanks.meanSpread(fewer)]).toEqual([1, 1, 1]);
});

test("the odd tokens of different experts do not all go to the same copies", () => {
  const placement = {
    layers: 1,
    experts: 2,
    ranks: 2,
    physicalExpertsPerRank: 2,
    logicalExperts: Uint16Array.of(0, 1, 0, 1),
  };
  const expertRanks = new ExpertRanks(placement, [0]);
  const work = expertRanks.newWork();
  expertRanks.split(Uint32Array.of(3, 5, 1), work);
  expect([...work.pairs]).toEqual([2 + 2, 1 + 3]);
  expect([...work.distinct]).toEqual([2, 2]);
});

test("expert uses over a run are the sum of the counts of its steps", () => {
  const table = withoutSome(testRouting(3, 16, 4, 700, 5), 0.2);
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 1, max: 900 })), { minLength: 1, maxLength: 12 }),
      (ordered, chunks) => {
        const replay = new RoutingReplay(table, 1, options(table, "zero", ordered));
        const total = new Float64Array(table.layers * table.experts);
        for (const [done, tokens] of chunks) {
          const step = replay.newStep();
          replay.read(step, 0, done, tokens);
          for (let i = 0; i < total.length; i++)
            total[i]! += step.counts[Math.floor(i / table.experts) * (table.experts + 1) + (i % table.experts)]!;
        }
        expect([...replay.expertUses()]).toEqual([...total]);
      },
    ),
    { numRuns: drawn(60) },
  );
});
