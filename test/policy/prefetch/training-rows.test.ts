import fc from "fast-check";
import { expect, test } from "vitest";
import { sharesRows, splitSequences } from "../../../src/policy/prefetch/training-rows.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { rowsOfDomain } from "../../../src/trace/rows-of-domain.ts";
import { drawn } from "../../drawn.ts";
import { routing } from "./prefetch-cases.ts";

/** Two domains of different lengths, and a number of the row in the ids of its first two layers. */
function numbered(lengths: readonly (readonly number[])[]): RoutingTable {
  const rows = lengths.flat().reduce((a, b) => a + b, 0);
  const starts = [0];
  for (const length of lengths.flat()) starts.push(starts.at(-1)! + length);
  const domainStarts = [0];
  for (const domain of lengths) domainStarts.push(domainStarts.at(-1)! + domain.reduce((a, b) => a + b, 0));
  const table = routing(1, { rows, layers: 2, experts: 251, topK: 1, sequences: 1 });
  for (let row = 0; row < rows; row++) table.ids.set([row % 251, Math.floor(row / 251)], row * 2);
  return {
    ...table,
    sequenceStarts: Uint32Array.from(starts),
    domains: lengths.map((_, domain) => `d${domain}`),
    domainStarts: Uint32Array.from(domainStarts),
  };
}
const numbers = ({ ids, rows }: RoutingTable) =>
  Array.from({ length: rows }, (_, r) => ids[2 * r]! + 251 * ids[2 * r + 1]!);

test("every row is learned from or judged, once; sequences stay whole and in their domain", () =>
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.double({ min: 0.1, max: 0.9, noNaN: true }),
      (lengths, share) => {
        const table = numbered(lengths);
        const split = splitSequences(table, share);
        if (split === null) return;
        const { training, test: judged } = split;
        expect([...numbers(training), ...numbers(judged)].sort((a, b) => a - b)).toEqual(numbers(table));
        expect(training.sequenceStarts.length + judged.sequenceStarts.length - 2).toBe(
          split.cut ? 2 : table.sequenceStarts.length - 1,
        );
        for (const side of [training, judged])
          for (const [domain, name] of side.domains.entries()) {
            const own = numbers(side).slice(side.domainStarts[domain]!, side.domainStarts[domain + 1]!);
            const all = numbers(rowsOfDomain(table, name));
            for (const number of own) expect(all).toContain(number);
          }
        for (const [domain, members] of lengths.entries()) {
          const rows = training.domainStarts[domain + 1]! - training.domainStarts[domain]!;
          const total = members.reduce((a, b) => a + b, 0);
          expect(Math.abs(rows - share * total)).toBeLessThanOrEqual(Math.max(1, Math.max(...members)));
        }
      },
    ),
    { numRuns: drawn(100) },
  ));

test("a lone sequence is cut, and a lone row cannot be", () => {
  const split = splitSequences(numbered([[10]]), 0.7)!;
  expect(split.cut).toBe(true);
  expect(numbers(split.training)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(numbers(split.test)).toEqual([7, 8, 9]);
  expect(splitSequences(numbered([[1]]), 0.5)).toBeNull();
});

test("tables share rows where their places overlap, or where they are loads of the same domains", () => {
  const table = numbered([[5, 5], [10]]);
  const [first, second] = [rowsOfDomain(table, "d0"), rowsOfDomain(table, "d1")];
  expect(sharesRows(table, first)).toBe(true);
  expect(sharesRows(first, first)).toBe(true);
  expect(sharesRows(first, second)).toBe(false);
  const loaded = { ...table, ids: table.ids.slice() };
  expect(sharesRows(table, loaded)).toBe(true);
  expect(sharesRows(first, rowsOfDomain(loaded, "d0"))).toBe(true);
  expect(sharesRows(first, rowsOfDomain(loaded, "d1"))).toBe(false);
  expect(sharesRows(table, { ...loaded, origin: { ...table.origin, digest: "other" } })).toBe(false);
});
