import { expect, test } from "vitest";
import { firstLayers, longSequences } from "../../src/trace/parts-of-table.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { rowsOfDomain } from "../../src/trace/rows-of-domain.ts";
import { arrangedByParts } from "../../src/trace/synthesis/sequence-parts.ts";

const layers = 3;
const topK = 2;

/** Sequences of 4, 1, 3, 1 and 5 rows in domains of 2, 2 and 1 sequences; every id says its row, layer and place. */
const table: RoutingTable = {
  experts: 200,
  topK,
  layers,
  rows: 14,
  ids: Uint8Array.from({ length: 14 * layers * topK }, (_, i) => i),
  sequenceStarts: Uint32Array.of(0, 4, 5, 8, 9, 14),
  domains: ["a", "b", "c"],
  domainStarts: Uint32Array.of(0, 5, 9, 14),
  modelLayers: [1, 2, 5],
  origin: { kind: "synthesised", name: "t", digest: "", sourceRows: 14, phase: "unknown", notes: [] },
};

const row = ({ ids, layers: of }: RoutingTable, r: number) => [...ids.subarray(r * of * topK, (r + 1) * of * topK)];

test("the first layers keep every row's ids", () => {
  const two = firstLayers(table, 2);
  expect(two).toMatchObject({ layers: 2, modelLayers: [1, 2], rows: 14 });
  for (let r = 0; r < table.rows; r++) expect(row(two, r)).toEqual(row(table, r).slice(0, 4));
  expect(firstLayers(table, 3)).toBe(table);
});

test("long sequences keep their rows, their order and their domains", () => {
  const long = longSequences(table, 3);
  expect([...long.sequenceStarts]).toEqual([0, 4, 7, 12]);
  expect([...long.domainStarts]).toEqual([0, 4, 7, 12]);
  expect(long.rows).toBe(12);
  const from = [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13];
  expect(from.map((_, r) => row(long, r))).toEqual(from.map((r) => row(table, r)));
  const longest = longSequences(table, 4);
  expect([...longest.sequenceStarts]).toEqual([0, 4, 9]);
  expect([...longest.domainStarts]).toEqual([0, 4, 4, 9]);
  expect(longSequences(table, 1)).toBe(table);
  expect(longSequences(table, 6)).toBe(table);
});

const sameBytes = (a: Uint32Array, b: Uint32Array): boolean => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

test("a table may have more sequences than a call takes arguments", () => {
  const rows = 300_000;
  const starts = Uint32Array.from({ length: rows + 1 }, (_, i) => i);
  const many: RoutingTable = {
    ...table,
    topK: 1,
    layers: 1,
    rows,
    ids: new Uint8Array(rows),
    sequenceStarts: starts,
    domains: ["a"],
    domainStarts: Uint32Array.of(0, rows),
    modelLayers: [1],
  };
  expect(sameBytes(rowsOfDomain(many, "a").sequenceStarts, starts)).toBe(true);
  const parts = [{ domain: 0, share: 1, sequences: [...starts.subarray(0, rows)] }];
  expect(sameBytes(arrangedByParts(many, parts).sequenceStarts, starts)).toBe(true);
});
