import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { overlapAtLag } from "../../../src/trace/stats/overlap.ts";
import { fitRouting } from "../../../src/trace/synthesis/fit-routing.ts";
import { routingErrors } from "../../../src/trace/synthesis/routing-errors.ts";
import type { RoutingStatistics } from "../../../src/trace/synthesis/routing-statistics.ts";
import { sequenceParts } from "../../../src/trace/synthesis/sequence-parts.ts";
import { synthesiseRouting } from "../../../src/trace/synthesis/synthesise-routing.ts";
import { markovRouting } from "../markov-routing.ts";

const recorded = markovRouting({
  experts: 16,
  topK: 2,
  layers: 4,
  domains: 2,
  sequences: 12,
  sequenceTokens: 128,
  keep: 0.35,
  follow: 0.35,
  seed: 11,
});

describe("routing fitted to a trace", () => {
  let statistics: RoutingStatistics;
  beforeAll(() => {
    statistics = fitRouting(recorded, { rounds: 50, tokensPerRound: 12_000 });
  });

  test.each([101, 102, 103])("reproduces its statistics with seed %i, which it was not tuned on", (seed) => {
    const synthesised = synthesiseRouting(statistics, { tokens: 20 * recorded.rows, seed });
    const errors = routingErrors(recorded, synthesised);
    expect(errors.popularity).toBeLessThanOrEqual(0.02);
    expect(errors.adjacentOverlap).toBeLessThanOrEqual(0.02);
    expect(errors.transition).toBeLessThanOrEqual(0.03);
    expect(errors.hitRate).toBeLessThanOrEqual(0.02);
  });

  test("would miss them without the parts that carry them", () => {
    const flat = (values: readonly number[]): number[] => values.map(() => 0);
    const without = (change: (layer: RoutingStatistics["domains"][number]["layers"][number]) => object) => ({
      ...statistics,
      domains: statistics.domains.map((domain) => ({
        ...domain,
        layers: domain.layers.map((layer) => ({ ...layer, ...change(layer) })),
      })),
    });
    const errorsOf = (changed: RoutingStatistics) =>
      routingErrors(recorded, synthesiseRouting(changed, { tokens: 4 * recorded.rows, seed: 101 }));
    expect(errorsOf(without((layer) => ({ base: flat(layer.base) }))).popularity).toBeGreaterThan(0.05);
    expect(errorsOf(without((layer) => ({ recency: flat(layer.recency) }))).hitRate).toBeGreaterThan(0.05);
    expect(errorsOf({ ...statistics, lifts: [] }).transition).toBeGreaterThan(0.1);
  });

  test("holds for recordings of the same process that it has not seen, up to their own noise", () => {
    const other = markovRouting({
      experts: 16,
      topK: 2,
      layers: 4,
      domains: 2,
      sequences: 40,
      sequenceTokens: 128,
      keep: 0.35,
      follow: 0.35,
      seed: 12,
    });
    const noise = routingErrors(other, recorded);
    const errors = routingErrors(other, synthesiseRouting(statistics, { tokens: other.rows, seed: 104 }));
    expect(errors.popularity).toBeLessThan(noise.popularity + 0.02);
    expect(errors.hitRate).toBeLessThan(noise.hitRate + 0.02);
    expect(errors.transition).toBeLessThan(noise.transition + 0.03);
  });

  test("survives JSON", () => {
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
    const again = synthesiseRouting(JSON.parse(JSON.stringify(statistics)) as RoutingStatistics, {
      tokens: 500,
      seed: 1,
    });
    expect(again.ids).toEqual(synthesiseRouting(statistics, { tokens: 500, seed: 1 }).ids);
  });

  test("is a valid table: distinct experts, whole domains, declared as synthesised", () => {
    const table = synthesiseRouting(statistics, { tokens: 1001, seed: 3 });
    for (let at = 0; at < table.ids.length; at += 2) {
      expect(table.ids[at]).not.toBe(table.ids[at + 1]);
      expect(table.ids[at]!).toBeLessThan(16);
    }
    expect(table.rows).toBe(1001);
    expect(table.sequenceStarts.at(-1)).toBe(1001);
    expect([...table.domainStarts]).toEqual([0, 501, 1001]);
    expect(table.sequenceStarts).toContain(501);
    expect(table.domains).toEqual(["domain 0", "domain 1"]);
    expect(table.origin.kind).toBe("synthesised");
    expect(table.origin.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("differs by seed and not by run", () => {
    const ids = (seed: number) => synthesiseRouting(statistics, { tokens: 300, seed }).ids;
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)).not.toEqual(ids(2));
  });

  test("takes other sequence lengths, and refuses no tokens", () => {
    const table = synthesiseRouting(statistics, { tokens: 100, seed: 1, sequenceTokens: [10] });
    expect([...table.sequenceStarts]).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(() => synthesiseRouting(statistics, { tokens: 0, seed: 1 })).toThrow(InvalidInputError);
  });
});

describe("a trace of two kinds of sequences", () => {
  const shape = { experts: 24, topK: 2, layers: 2, domains: 1, sequenceTokens: 100, follow: 0.2 };
  const calm = markovRouting({ ...shape, sequences: 10, keep: 0.6, seed: 21 });
  const restless = markovRouting({ ...shape, sequences: 15, keep: 0.1, seed: 22 });
  const mixed: RoutingTable = {
    ...calm,
    rows: calm.rows + restless.rows,
    ids: Uint8Array.of(...calm.ids, ...restless.ids),
    sequenceStarts: Uint32Array.from({ length: 26 }, (_, sequence) => sequence * 100),
    domainStarts: Uint32Array.of(0, calm.rows + restless.rows),
  };

  test("is fitted in two parts that make up one domain", () => {
    expect(sequenceParts(calm)).toHaveLength(1);
    const parts = sequenceParts(mixed).map(({ sequences }) => [...sequences].sort((a, b) => a - b));
    expect(parts.sort((a, b) => a.length - b.length)).toEqual([
      Array.from({ length: 10 }, (_, sequence) => sequence),
      Array.from({ length: 15 }, (_, sequence) => 10 + sequence),
    ]);
    const statistics = fitRouting(mixed, { rounds: 20, tokensPerRound: 5000 });
    const table = synthesiseRouting(statistics, { tokens: 20 * mixed.rows, seed: 5 });
    expect(table.domains).toEqual(["domain 0"]);
    expect([...table.domainStarts]).toEqual([0, table.rows]);
    const overlaps = Array.from(
      { length: table.sequenceStarts.length - 1 },
      (_, s) => overlapAtLag(table, 0, 1, [s]).share,
    );
    const shareOfCalm = overlaps.filter((share) => share > 0.5).length / overlaps.length;
    expect(shareOfCalm).toBeCloseTo(10 / 25, 1);
  });
});
