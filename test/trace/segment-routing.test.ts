import fc from "fast-check";
import { expect, test } from "vitest";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import {
  expertSegmentRouting,
  modelSegmentRouting,
  type SegmentRouting,
  segmentRouting,
} from "../../src/trace/stats/segment-routing.ts";

/** Rows of chosen experts, in sequences of these lengths. */
function tableOf(rows: readonly (readonly number[])[], experts: number, lengths: readonly number[]): RoutingTable {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return {
    experts,
    topK: rows[0]!.length,
    layers: 1,
    rows: rows.length,
    ids: Uint8Array.from(rows.flat()),
    sequenceStarts: Uint32Array.from(starts),
    domains: ["all"],
    domainStarts: Uint32Array.from([0, rows.length]),
    modelLayers: [0],
    origin: { kind: "synthesised", name: "t", digest: "", sourceRows: rows.length, phase: "unknown", notes: [] },
  };
}

/** The published formula, term by term, over the experts of a group. */
function naive(
  rows: readonly (readonly number[])[],
  group: readonly number[],
  lengths: readonly number[],
  m: number,
): SegmentRouting | null {
  const uses: number[] = [];
  let start = 0;
  for (const length of lengths) {
    for (let p = start; p + m <= start + length; p++)
      for (const e of group) uses.push(rows.slice(p, p + m).filter((row) => row.includes(e)).length);
    start += length;
  }
  if (uses.length === 0) return null;
  const all = uses.reduce((a, b) => a + b, 0);
  const scores = Array.from({ length: m + 1 }, (_, a) => {
    const active = uses.filter((f) => f >= a);
    return (2 * active.reduce((x, y) => x + y, 0)) / Math.max(1, m * active.length + all);
  });
  const srp = Math.max(...scores);
  const threshold = scores.indexOf(srp);
  return { srp, threshold, rhoHat: all === 0 ? 0 : (m * uses.filter((f) => f >= threshold).length) / all };
}

const experts = 6;
const row = fc.uniqueArray(fc.integer({ min: 0, max: experts - 1 }), { minLength: 2, maxLength: 2 });

test("is what the formula gives, segments never crossing sequences", () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 14, maxLength: 14 }), fc.integer({ min: 1, max: 6 }), (rows, m) => {
      const lengths = [3, 6, 5];
      const found = segmentRouting(tableOf(rows, experts, lengths), 0, m)!;
      expect(found).toEqual(naive(rows, [...Array(experts).keys()], lengths, m));
      const { srp } = found;
      const r = 2 / experts;
      expect(srp).toBeGreaterThanOrEqual((2 * r) / (r + 1) - 1e-12);
      expect(srp).toBeLessThanOrEqual(1 + 1e-12);
    }),
  );
});

test("is 1 where the same experts are chosen all the time, and nothing where no sequence is long enough", () => {
  const same = Array.from({ length: 8 }, () => [1, 4]);
  expect(segmentRouting(tableOf(same, experts, [8]), 0, 4)).toEqual({ srp: 1, threshold: 1, rhoHat: 1 });
  expect(segmentRouting(tableOf(same, experts, [4, 4]), 0, 5)).toBeNull();
});

test("of an expert is the formula over that expert alone, and of a model over all layers with one threshold", () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 12, maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (rows, m) => {
      const lengths = [7, 5];
      const table = tableOf(rows, experts, lengths);
      expect(expertSegmentRouting(table, 0, m)).toEqual(
        Array.from({ length: experts }, (_, e) => naive(rows, [e], lengths, m)),
      );
      // Two layers, the second with the experts in reverse: a layer of twice as many experts.
      const both = rows.map((ids) => [...ids, ...ids.map((id) => 2 * experts - 1 - id)]);
      const ids = Uint8Array.from(rows.flatMap((row) => [...row, ...row.map((id) => experts - 1 - id)]));
      expect(modelSegmentRouting({ ...table, layers: 2, ids }, m)).toEqual(
        naive(both, [...Array(2 * experts).keys()], lengths, m),
      );
    }),
  );
});
