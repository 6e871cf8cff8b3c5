import fc from "fast-check";
import { expect, test } from "vitest";
import type { RequestTable } from "../../../src/trace/request-table.ts";
import { summariseRequests } from "../../../src/trace/requests/summarise-requests.ts";

function tableOf(
  seconds: readonly number[],
  prompts: readonly number[],
  blocks?: readonly (readonly number[])[],
): RequestTable {
  const count = seconds.length;
  const offsets = [0];
  for (const ids of blocks ?? []) offsets.push(offsets.at(-1)! + ids.length);
  return {
    count,
    arrivalNs: Float64Array.from(seconds, (s) => s * 1e9),
    promptTokens: Uint32Array.from(prompts),
    outputTokens: Uint32Array.from(prompts, (tokens) => 1000 - tokens),
    classOf: new Uint16Array(count),
    classes: ["default"],
    domainOf: null,
    domains: [],
    prefix:
      blocks === undefined
        ? null
        : { blockTokens: 16, offsets: Uint32Array.from(offsets), ids: Uint32Array.from(blocks.flat()) },
    origin: { kind: "recorded", name: "made", digest: "", notes: [] },
  };
}

test("a trace small enough to count by hand", () => {
  // Gaps 1, 1, 8, 20, 0 s: mean 6, sample variance (25 + 25 + 4 + 196 + 36) / 4.
  const summary = summariseRequests(tableOf([0, 1, 2, 10, 30, 30], [5, 1, 4, 2, 3, 6]));
  expect(summary).toMatchObject({
    count: 6,
    spanNs: 30e9,
    longestGapNs: 20e9,
    distinctArrivals: 5,
    peakPerMinute: 6,
    prefix: null,
  });
  expect(summary.ratePerSecond).toBeCloseTo(5 / 30, 12);
  expect(summary.interarrivalCv).toBeCloseTo(Math.sqrt(286 / 4) / 6, 12);
  // Windows from 0: 3, 1, 0, 2; mean 1.5, population variance 5 / 4.
  expect(summary.dispersion10s).toBeCloseTo(1.25 / 1.5, 12);
  expect(summary.prompt).toEqual({ mean: 3.5, p10: 1, p50: 4, p90: 6, p99: 6, max: 6 });
  expect(summary.lengthCorrelation).toBeCloseTo(-1, 12);
});

test("percentiles are the order statistic at floor(p n)", () => {
  const prompts = Array.from({ length: 250 }, (_, i) => ((i * 37) % 250) + 1);
  const { prompt } = summariseRequests(
    tableOf(
      prompts.map((_, i) => i),
      prompts,
    ),
  );
  expect(prompt).toEqual({ mean: 125.5, p10: 26, p50: 126, p90: 226, p99: 248, max: 250 });
});

test("the busiest minute is counted in minutes from the first arrival", () => {
  const arrivals = [5, 30, 64.9, 65, 66, 67, 200];
  expect(
    summariseRequests(
      tableOf(
        arrivals,
        arrivals.map(() => 1),
      ),
    ).peakPerMinute,
  ).toBe(3);
});

test("what one arrival cannot tell is null", () => {
  expect(summariseRequests(tableOf([7], [3]))).toMatchObject({
    count: 1,
    ratePerSecond: null,
    interarrivalCv: null,
    dispersion10s: null,
    lengthCorrelation: null,
    longestGapNs: 0,
  });
});

test("the prefix bound is the hit rate of a cache that never evicts", () => {
  const blocks = fc.array(fc.array(fc.nat(12), { maxLength: 5 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(blocks, (requests) => {
      const cache = new Set<number>();
      let hits = 0;
      for (const id of requests.flat()) {
        if (cache.has(id)) hits += 1;
        cache.add(id);
      }
      const total = requests.flat().length;
      const { prefix } = summariseRequests(
        tableOf(
          requests.map((_, i) => i),
          requests.map((ids) => Math.max(1, 16 * ids.length)),
          requests,
        ),
      );
      if (total === 0) expect(prefix).toBeNull();
      else expect(prefix).toEqual({ blocks: total, distinct: cache.size, hitRateMax: hits / total });
    }),
  );
});

test("blocks of an answer are no blocks of its prompt, and are found by the turn after it", () => {
  const table = tableOf(
    [0, 1],
    [32, 64],
    [
      [0, 1, 2],
      [0, 1, 2, 3],
    ],
  );
  expect(summariseRequests(table).prefix).toEqual({ blocks: 6, distinct: 3, hitRateMax: 0.5 });
});
