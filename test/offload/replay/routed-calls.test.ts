import fc from "fast-check";
import { expect, test } from "vitest";
import { halvesOf } from "../../../src/offload/replay/folds.ts";
import { replayCalls } from "../../../src/offload/replay/replay-calls.ts";
import { coldMisses, routedCalls, usesOf } from "../../../src/offload/replay/routed-calls.ts";
import { anyTable, callsOf, choicesOf, tokensTable } from "./tables.ts";

test("side by side, each step has the next token of each sequence, and the next sequence takes a free place", () => {
  fc.assert(
    fc.property(anyTable, fc.integer({ min: 1, max: 5 }), (table, batch) => {
      const waiting = Array.from({ length: table.sequenceStarts.length - 1 }, (_, s) =>
        Array.from(
          { length: table.sequenceStarts[s + 1]! - table.sequenceStarts[s]! },
          (_, i) => table.sequenceStarts[s]! + i,
        ),
      );
      const expected: number[][] = [];
      let active: number[][] = [];
      for (;;) {
        active = active.filter((rows) => rows.length > 0);
        while (active.length < batch && waiting.length > 0) active.push(waiting.shift()!);
        if (active.length === 0) break;
        const rows = active.map((left) => left.shift()!);
        for (let layer = 0; layer < table.layers; layer++) {
          const keys = rows.flatMap((row) => choicesOf(table, row, layer).map((e) => layer * table.experts + e));
          expected.push([...new Set(keys)]);
        }
      }
      const calls = routedCalls(table, batch);
      expect(callsOf(calls)).toEqual(expected);
      expect(calls.choices).toBe(table.rows * table.layers * table.topK);
      expect(calls.tokens.reduce((sum, tokens) => sum + tokens, 0)).toBe(calls.choices);
      expect(calls.sequenceCalls).toHaveLength(table.sequenceStarts.length - 1);
      expect(calls.callMax).toBe(Math.max(...expected.map((keys) => keys.length)));
      expect(coldMisses(calls)).toBe(new Set(expected.flat()).size);
      expect(usesOf(calls).reduce((sum, uses) => sum + uses, 0)).toBe(calls.keys.length);
    }),
  );
});

test("router weights of the tokens of a call add up by expert; choices without an expert are no access", () => {
  const table = {
    ...tokensTable([[[0, 1]], [[1, 3]]], 3, [1, 1]),
    weights: Float32Array.of(0.5, 0.25, 0.75, 0.125),
  };
  const calls = routedCalls(table, 2);
  expect(callsOf(calls)).toEqual([[0, 1]]);
  expect([...calls.weights!]).toEqual([0.5, 1]);
  expect([...calls.tokens]).toEqual([1, 2]);
  expect(calls.choices).toBe(3);
});

test("a cache is told of each sequence before its first call, and gets the weights of each call", () => {
  const table = {
    ...tokensTable([[[0, 1]], [[1, 2]], [[2, 0]]], 3, [2, 1]),
    weights: Float32Array.of(0.5, 0.25, 0.75, 0.125, 1, 0.5),
  };
  const told: string[] = [];
  const hits = replayCalls(routedCalls(table, 1), {
    capacity: 0,
    resident: 0,
    contains: () => false,
    insert: () => false,
    drop: () => {},
    requestStarts: () => told.push("request"),
    call: (keys, from, to, hit, weights) => {
      told.push([...keys.subarray(from, to)].map((key, i) => `${key}:${weights?.[i]}`).join(" "));
      hit.fill(0, 0, to - from);
      hit[0] = 1;
      return 1;
    },
  });
  expect(told).toEqual(["request", "0:0.5 1:0.25", "1:0.75 2:0.125", "request", "2:1 0:0.5"]);
  expect(hits).toEqual({ accesses: 6, hits: 3, choices: 6, choiceHits: 3 });
});

test("halves are made of whole sequences in turn, domain by domain; a lone sequence is cut in the middle", () => {
  const token = [[0, 1]];
  const of = (domainStarts: number[], lengths: number[]) => ({
    ...tokensTable(
      Array.from({ length: lengths.reduce((a, b) => a + b, 0) }, (_, row) => [[row % 7, 7]]),
      8,
      lengths,
    ),
    domains: domainStarts.slice(1).map((_, d) => `domain ${d}`),
    domainStarts: Uint32Array.from(domainStarts),
  });
  const leads = (table: { ids: ArrayLike<number>; topK: number; rows: number }) =>
    Array.from({ length: table.rows }, (_, row) => table.ids[row * table.topK]);
  const halves = halvesOf(of([0, 6, 10], [1, 2, 3, 4]))!;
  expect(leads(halves[0])).toEqual([0, 3, 4, 5, 1, 2]);
  expect(leads(halves[1])).toEqual([1, 2, 6, 0]);
  expect([...halves[0].sequenceStarts]).toEqual([0, 1, 4, 6]);
  expect([...halves[0].domainStarts]).toEqual([0, 4, 6]);
  expect([...halves[1].domainStarts]).toEqual([0, 2, 4]);
  expect(halvesOf(tokensTable([token], 8, [1]))).toBeNull();
});
