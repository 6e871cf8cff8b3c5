import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import { countsOf } from "../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { noExpertId, type RoutingTable } from "../../../src/trace/routing-table.ts";
import { rowsOfDomain } from "../../../src/trace/rows-of-domain.ts";
import { applyTransforms } from "../../../src/trace/transform/apply-transforms.ts";
import { mask } from "../../../src/trace/transform/mask.ts";
import { topP } from "../../../src/trace/transform/top-p.ts";
import type { ChosenTransform } from "../../../src/trace/transform/transforms.ts";
import { drawn } from "../../drawn.ts";

let shipped: RoutingTable;

beforeAll(async () => {
  const trace = await openRoutingTrace("scenarios/traces/gpt-oss-20b.safetensors");
  shipped = await loadRoutingTable(trace, { also: new Set(["weights"]) });
  await trace.close();
});

const off = (experts: number[], layers?: number[], instead: "none" | "next" = "none"): ChosenTransform => ({
  kind: "mask",
  experts,
  instead,
  ...(layers === undefined ? {} : { layers }),
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
      /weights of the chosen experts, which top-p needs.*none in small/s,
    );
    const negative = small.weights!.map((weight, at) => (at === 7 ? -1 : weight));
    expect(() => apply({ ...small, weights: negative }, { kind: "top-p", p: 0.8 })).toThrow(/in layer 2/);
    const none = small.weights!.map((weight, at) => (at >= 8 && at < 12 ? 0 : weight));
    expect(() => apply({ ...small, weights: none }, { kind: "top-p", p: 0.8 })).toThrow(/in layer 5/);
  });
});

describe("mask", () => {
  test("takes the experts out of the layers that it names, by their numbers, and nothing else", () => {
    expect(rowsOf(apply(small, off([1, 6], [2, 1])))).toEqual([
      [3, 16, 0, 2],
      [5, 16, 7, 8],
      [9, 10, 11, 12],
      [16, 2, 3, 4],
      [4, 3, 2, 16],
      [8, 7, 6, 5],
    ]);
  });

  test("of experts that nothing chose changes nothing", () => {
    expect(apply(small, off([13, 15])).ids).toEqual(small.ids);
  });

  test("once is twice, and two masks are one of both", () => {
    const experts = fc.uniqueArray(fc.nat(31), { minLength: 1, maxLength: 12 });
    const { weights: _, ...ids } = rowsOfDomain(shipped, "tulu");
    fc.assert(
      fc.property(experts, experts, (a, b) => {
        const one = off(a);
        const other = off(b);
        const once = apply(ids, one);
        expect(sameIds(apply(ids, one, one), once)).toBe(true);
        const both = apply(ids, off([...a, ...b]));
        expect(sameIds(apply(ids, one, other), both)).toBe(true);
        // What is counted of the others stays, and the rest is what was taken away.
        const counts = countsOf(both).counts;
        const before = countsOf(ids).counts;
        expect(counts.every((count, at) => count === (a.concat(b).includes(at % 32) ? 0 : before[at]))).toBe(true);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(keptOf(both));
      }),
      { numRuns: drawn(15) },
    );
  });

  test("refuses experts and layers that do not exist, and layers left without any expert", () => {
    const refused: [ChosenTransform, RegExp][] = [
      [off([3, 16]), /experts below 16, found 16/],
      [off([3], [1, 4]), /recorded layers, numbered from 1 to 5, found 4/],
      [off([...Array(16).keys()]), /at least one of the 16 experts/],
      [off([5, 6, 7, 8, 4, 3, 2, 1], [2]), /choices left in every layer.*none in layer 2/s],
    ];
    for (const [chosen, message] of refused) {
      expect(() => apply(small, chosen)).toThrow(InvalidInputError);
      expect(() => apply(small, chosen)).toThrow(message);
    }
  });
});

describe("mask with the next best", () => {
  /** Rows of a router of 12 experts, top-4 in three layers, that records all its scores. */
  const scored = (seed: number, rows = 60): RoutingTable => {
    const rng = new RandomStream(seed, "scores");
    const scores = Float32Array.from({ length: rows * 3 * 12 }, () => rng.uniform() ** 3);
    const ids = new Uint8Array(rows * 3 * 4);
    const weights = new Float32Array(rows * 3 * 4);
    for (let at = 0; at < rows * 3; at++) {
      const best = topOf(scores.subarray(at * 12, (at + 1) * 12), 4, []);
      ids.set(best, at * 4);
      const sum = best.reduce((total, expert) => total + scores[at * 12 + expert]!, 0);
      weights.set(
        best.map((expert) => scores[at * 12 + expert]! / sum),
        at * 4,
      );
    }
    const sequenceStarts = Uint32Array.of(0, rows);
    return { ...small, experts: 12, rows, ids, weights, scores, sequenceStarts, domainStarts: sequenceStarts };
  };
  const topOf = (scores: Float32Array, k: number, without: readonly number[]) =>
    [...scores.keys()]
      .filter((expert) => !without.includes(expert))
      .sort((a, b) => scores[b]! - scores[a]! || a - b)
      .slice(0, k);

  test("is what the router would have chosen with these scores masked", () => {
    const experts = fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 11 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), experts, (seed, without) => {
        const table = scored(seed);
        const { table: after, applied } = chain(table, off(without, undefined, "next"));
        const expected = rowsOf(table).map((_, at) => {
          const best = topOf(table.scores!.subarray(at * 12, (at + 1) * 12), 4, without);
          return [...best, ...Array<number>(4 - best.length).fill(12)];
        });
        expect(rowsOf(after)).toEqual(expected);
        expect(applied[0]!.removedShare).toBe(Math.max(0, 4 - (12 - without.length)) / 4);
        expect(sameIds(apply(table, off(without, undefined, "next"), off(without, undefined, "next")), after)).toBe(
          true,
        );
      }),
      { numRuns: drawn(20) },
    );
  });

  test("gives the new experts weights by their scores, for transforms that follow", () => {
    const table = scored(7);
    const after = mask.apply(table, { experts: [2, 5], instead: "next" });
    for (const [at, ids] of rowsOf(after).entries()) {
      const total = ids.reduce((sum, expert) => sum + table.scores![at * 12 + expert]!, 0);
      const weights = [...after.weights!.subarray(at * 4, (at + 1) * 4)];
      const sum = weights.reduce((a, b) => a + b, 0);
      for (const [k, expert] of ids.entries())
        expect(weights[k]! / sum).toBeCloseTo(table.scores![at * 12 + expert]! / total, 5);
    }
    expect(sameIds(scored(7), table)).toBe(true);
  });

  test("is refused without scores, and where a router chooses by more than they say", () => {
    expect(() => apply(small, off([1], undefined, "next"))).toThrow(/router's scores of all experts, which mask needs/);
    const table = scored(3);
    // The best of all is not among the choices, as a bias or groups may have it.
    const biased = { ...table, scores: table.scores!.map((score, at) => (at % 12 === 11 ? 2 : score)) };
    const others = biased.ids.map((id) => (id === 11 ? 0 : id));
    expect(() => apply({ ...biased, ids: others }, off([2], undefined, "next"))).toThrow(
      /choices of the highest scores/,
    );
    // What an earlier mask of the layer took would come back.
    expect(() => apply(table, off([1], undefined, "next"), off([2], undefined, "next"))).toThrow(
      /name their experts together/,
    );
    expect(keptOf(apply(table, off([1], [1], "next"), off([2], [2], "next")))).toBe(table.ids.length);
  });
});

test("transforms follow one another: top-p counts the weight that a mask has left", () => {
  const masked = off([3], [1]);
  const { table, applied } = chain(small, masked, { kind: "top-p", p: 0.5 });
  expect(rowsOf(table)[0]).toEqual([16, 1, 16, 16]);
  expect(applied.map(({ removedShare }) => removedShare)).toEqual([2 / 24, 15 / 24]);
  expect(table).not.toHaveProperty("weights");
  expect(rowsOf(small)[0]).toEqual([3, 1, 0, 2]);
});

test("with 256 experts and more the ids of a transformed table take two bytes", () => {
  const wide = { ...small, experts: 256 };
  expect(mask.apply(wide, { experts: [200], instead: "none" }).ids).toEqual(new Uint16Array(small.ids));
  expect(topP.apply(wide, { p: 0.75 }).ids[2]).toBe(256);
  expect(() => mask.apply({ ...small, experts: 65_536 }, { experts: [1], instead: "none" })).toThrow(
    "at most 65535 experts",
  );
});
