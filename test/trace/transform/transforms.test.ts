import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import { countsOf } from "../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { noExpertId, type RoutingTable } from "../../../src/trace/routing-table.ts";
import { rowsOfDomain } from "../../../src/trace/rows-of-domain.ts";
import { applyTransforms } from "../../../src/trace/transform/apply-transforms.ts";
import { mask } from "../../../src/trace/transform/mask.ts";
import { topP } from "../../../src/trace/transform/top-p.ts";
import type { ChosenTransform } from "../../../src/trace/transform/transforms.ts";

let shipped: RoutingTable;

beforeAll(async () => {
  const trace = await openRoutingTrace("scenarios/traces/gpt-oss-20b.safetensors");
  shipped = await loadRoutingTable(trace, { weights: true });
  await trace.close();
});

const chain = (table: RoutingTable, ...chosen: ChosenTransform[]) =>
  applyTransforms(table, chosen, (_index, step) => step());
const apply = (table: RoutingTable, ...chosen: ChosenTransform[]) => chain(table, ...chosen).table;
const keptOf = ({ ids, experts }: RoutingTable) => Array.from(ids).filter((id) => id < experts).length;
const sameIds = (a: RoutingTable, b: RoutingTable) => Buffer.from(a.ids).equals(Buffer.from(b.ids));

/** A row of three layers, four experts each, of sixteen. */
const small: RoutingTable = {
  experts: 16,
  topK: 4,
  layers: 3,
  rows: 2,
  ids: Uint8Array.of(3, 1, 0, 2, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 4, 3, 2, 1, 8, 7, 6, 5),
  weights: Float32Array.from([
    0.5, 0.25, 0.125, 0.125, 0.25, 0.25, 0.25, 0.25, 0.125, 0.5, 0.25, 0.125, 4, 2, 1, 1, 0.5, 0.5, 0, 0, 1, 0, 0, 0,
  ]),
  sequenceStarts: Uint32Array.of(0, 2),
  domains: ["any"],
  domainStarts: Uint32Array.of(0, 2),
  modelLayers: [1, 2, 5],
  origin: { kind: "recorded", name: "small", digest: "", sourceRows: 2, phase: "decode", notes: [] },
};
const rowsOf = ({ ids, topK }: RoutingTable) =>
  Array.from({ length: ids.length / topK }, (_, at) => [...ids.subarray(at * topK, (at + 1) * topK)]);

describe("top-p", () => {
  test("keeps the heaviest until they reach p, in the places in which they are stored", () => {
    expect(rowsOf(apply(small, { kind: "top-p", p: 0.75 }))).toEqual([
      [3, 1, 16, 16],
      [5, 6, 7, 16],
      [16, 10, 11, 16],
      [1, 2, 16, 16],
      [4, 3, 16, 16],
      [8, 16, 16, 16],
    ]);
  });

  test("is what a reference per token says, on a recording of a production model", () => {
    const { topK, weights } = shipped;
    for (const p of [0.3, 0.5, 0.8, 0.95]) {
      const { table, applied } = chain(shipped, { kind: "top-p", p });
      let removed = 0;
      let wrong = 0;
      for (let from = 0; from < shipped.ids.length; from += topK) {
        const choices = Array.from({ length: topK }, (_, k) => ({ k, weight: weights![from + k]! }));
        choices.sort((a, b) => b.weight - a.weight || a.k - b.k);
        const total = choices.reduce((sum, { weight }) => sum + weight, 0);
        let sum = 0;
        for (const [rank, { k, weight }] of choices.entries()) {
          const kept = rank === 0 || sum < p * total;
          sum += weight;
          removed += Number(!kept);
          wrong += Number(table.ids[from + k] !== (kept ? shipped.ids[from + k] : noExpertId(shipped)));
        }
      }
      expect(wrong).toBe(0);
      expect(applied[0]!.removedShare).toBe(removed / shipped.ids.length);
    }
  });

  test("of 1 changes nothing, experts of weight 0 included", () => {
    for (const table of [small, shipped]) {
      const { table: same, applied } = chain(table, { kind: "top-p", p: 1 });
      expect(sameIds(same, table)).toBe(true);
      expect(applied[0]!.removedShare).toBe(0);
    }
  });

  test("keeps no fewer choices with a larger p, and the same ones among them; one at least", () => {
    const shares = [Number.MIN_VALUE, 0.2, 0.4, 0.5, 0.7, 0.9, 0.99, 1];
    const tables = shares.map((p) => apply(shipped, { kind: "top-p", p }));
    for (const [i, { ids }] of tables.slice(1).entries()) {
      const fewer = tables[i]!.ids;
      expect(ids.every((id, at) => fewer[at] === noExpertId(shipped) || fewer[at] === id)).toBe(true);
    }
    expect(keptOf(tables[0]!)).toBe(shipped.rows * shipped.layers);
  });

  test("is refused without weights, with the transform named", () => {
    const { weights: _, ...ids } = small;
    expect(() => apply(ids, { kind: "top-p", p: 0.8 })).toThrow(
      /weights of the chosen experts, which top-p needs.*ids/s,
    );
    const negative = small.weights!.map((weight, at) => (at === 7 ? -1 : weight));
    expect(() => apply({ ...small, weights: negative }, { kind: "top-p", p: 0.8 })).toThrow(/in layer 2/);
    const none = small.weights!.map((weight, at) => (at >= 8 && at < 12 ? 0 : weight));
    expect(() => apply({ ...small, weights: none }, { kind: "top-p", p: 0.8 })).toThrow(/in layer 5/);
  });
});

describe("mask", () => {
  test("takes the experts out of the layers that it names, by their numbers, and nothing else", () => {
    expect(rowsOf(apply(small, { kind: "mask", experts: [1, 6], layers: [2, 1] }))).toEqual([
      [3, 16, 0, 2],
      [5, 16, 7, 8],
      [9, 10, 11, 12],
      [16, 2, 3, 4],
      [4, 3, 2, 16],
      [8, 7, 6, 5],
    ]);
  });

  test("of experts that nothing chose changes nothing", () => {
    expect(apply(small, { kind: "mask", experts: [13, 15] }).ids).toEqual(small.ids);
  });

  test("once is twice, and two masks are one of both", () => {
    const experts = fc.uniqueArray(fc.nat(31), { minLength: 1, maxLength: 12 });
    const { weights: _, ...ids } = rowsOfDomain(shipped, "tulu");
    fc.assert(
      fc.property(experts, experts, (a, b) => {
        const one: ChosenTransform = { kind: "mask", experts: a };
        const other: ChosenTransform = { kind: "mask", experts: b };
        const once = apply(ids, one);
        expect(sameIds(apply(ids, one, one), once)).toBe(true);
        const both = apply(ids, { kind: "mask", experts: [...a, ...b] });
        expect(sameIds(apply(ids, one, other), both)).toBe(true);
        // What is counted of the others stays, and the rest is what was taken away.
        const counts = countsOf(both).counts;
        const before = countsOf(ids).counts;
        expect(counts.every((count, at) => count === (a.concat(b).includes(at % 32) ? 0 : before[at]))).toBe(true);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(keptOf(both));
      }),
      { numRuns: 15 },
    );
  });

  test("refuses experts and layers that do not exist, and layers left without any expert", () => {
    const refused: [ChosenTransform, RegExp][] = [
      [{ kind: "mask", experts: [3, 16] }, /experts below 16, found 16/],
      [{ kind: "mask", experts: [3], layers: [1, 4] }, /recorded layers, numbered from 1 to 5, found 4/],
      [{ kind: "mask", experts: [...Array(16).keys()] }, /at least one of the 16 experts/],
      [
        { kind: "mask", experts: [5, 6, 7, 8, 4, 3, 2, 1], layers: [2] },
        /choices left in every layer.*none in layer 2/s,
      ],
    ];
    for (const [chosen, message] of refused) {
      expect(() => apply(small, chosen)).toThrow(InvalidInputError);
      expect(() => apply(small, chosen)).toThrow(message);
    }
  });
});

test("transforms follow one another: top-p counts the weight that a mask has left", () => {
  const masked: ChosenTransform = { kind: "mask", experts: [3], layers: [1] };
  const { table, applied } = chain(small, masked, { kind: "top-p", p: 0.5 });
  expect(rowsOf(table)[0]).toEqual([16, 1, 16, 16]);
  expect(applied.map(({ removedShare }) => removedShare)).toEqual([2 / 24, 15 / 24]);
  expect(table).not.toHaveProperty("weights");
  expect(rowsOf(small)[0]).toEqual([3, 1, 0, 2]);
});

test("with 256 experts and more the ids of a transformed table take two bytes", () => {
  const wide = { ...small, experts: 256 };
  expect(mask.apply(wide, { experts: [200] }).ids).toEqual(new Uint16Array(small.ids));
  expect(topP.apply(wide, { p: 0.75 }).ids[2]).toBe(256);
  expect(() => mask.apply({ ...small, experts: 65_536 }, { experts: [1] })).toThrow("at most 65535 experts");
});
