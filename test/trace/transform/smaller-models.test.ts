import { beforeAll, describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import { countsOf } from "../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { applyTransforms } from "../../../src/trace/transform/apply-transforms.ts";
import type { ChosenTransform } from "../../../src/trace/transform/transforms.ts";

let shipped: RoutingTable;

beforeAll(async () => {
  const trace = await openRoutingTrace("scenarios/traces/gpt-oss-20b.safetensors");
  shipped = await loadRoutingTable(trace, { also: new Set(["weights"]) });
  await trace.close();
});

const chain = (table: RoutingTable, chosen: ChosenTransform[], texts: string[] = []) =>
  applyTransforms(table, chosen, (_index, step) => step(), texts);
const apply = (table: RoutingTable, chosen: ChosenTransform, text?: string) =>
  chain(table, [chosen], text === undefined ? [] : [text]).table;
const sum = (of: ArrayLike<number>) => Array.from(of).reduce((total, value) => total + value, 0);
const prune = (more: object): ChosenTransform => ({ kind: "prune", seed: 1, ...more });
const merge = (groups: number, scope = "model", more: object = {}): ChosenTransform => ({
  kind: "merge",
  groups,
  scope,
  similarity: "coactivation",
  ...more,
});

/** `rows` of one layer, whose scores are drawn with a lean to the first experts, and whose choices are the highest of them. */
function scored(rows: number, experts: number, topK: number): RoutingTable {
  const random = new RandomStream(7, "scores");
  const scores = Float32Array.from(
    { length: rows * experts },
    (_, at) => random.uniform() + 0.5 / (1 + (at % experts)),
  );
  const ids = new Uint8Array(rows * topK);
  const weights = new Float32Array(rows * topK);
  for (let row = 0; row < rows; row++) {
    const of = scores.subarray(row * experts, (row + 1) * experts);
    const order = Array.from({ length: experts }, (_, expert) => expert).sort((a, b) => of[b]! - of[a]! || a - b);
    for (let k = 0; k < topK; k++) {
      ids[row * topK + k] = order[k]!;
      weights[row * topK + k] = 2 * of[order[k]!]!;
    }
  }
  return {
    experts,
    topK,
    layers: 1,
    rows,
    ids,
    scores,
    weights,
    sequenceStarts: Uint32Array.of(0, rows),
    domains: ["any"],
    domainStarts: Uint32Array.of(0, rows),
    modelLayers: [0],
    origin: { kind: "recorded", name: "scored", digest: "", sourceRows: rows, phase: "decode", notes: [] },
  };
}

describe("prune", () => {
  test("leaves the most used, takes the choices of the others away, and keeps those of the rest in place", () => {
    const pruned = apply(shipped, prune({ by: "frequency", keep: 20 }));
    const { counts } = countsOf(shipped);
    for (let layer = 0; layer < shipped.layers; layer++) {
      const kept = pruned.kept!.subarray(layer * 32, (layer + 1) * 32);
      expect(sum(kept)).toBe(20);
      const uses = (one: number) =>
        Array.from(kept.keys())
          .filter((e) => kept[e] === one)
          .map((e) => counts[layer * 32 + e]!);
      expect(Math.min(...uses(1))).toBeGreaterThanOrEqual(Math.max(...uses(0)));
    }
    for (let at = 0; at < shipped.ids.length; at++) {
      const place = (Math.floor(at / shipped.topK) % shipped.layers) * 32 + shipped.ids[at]!;
      expect(pruned.ids[at] === (pruned.kept![place] === 1 ? shipped.ids[at] : 32)).toBe(true);
      if (at > 50_000) break;
    }
  });

  test("a mask as a file is the mask, and two of them leave what both keep", () => {
    const mask = (of: (layer: number, expert: number) => boolean) =>
      JSON.stringify(
        Array.from({ length: 24 }, (_l, layer) => Array.from({ length: 32 }, (_e, e) => Number(of(layer, e)))),
      );
    const file = prune({ by: "file", file: "m.json" });
    const texts = [mask((layer, e) => e < 16 + (layer % 2)), mask((_l, e) => e % 2 === 0)];
    const { kept } = chain(shipped, [file, file], texts).table;
    expect(sum(kept!.subarray(0, 32))).toBe(8);
    expect(sum(kept!.subarray(32, 64))).toBe(9);
  });

  test("random draws go by their seed; all that stay are no change", () => {
    const of = (seed: number) =>
      Buffer.from(apply(shipped, prune({ by: "random", keep: 16, seed })).kept!).toString("hex");
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
    const all = apply(shipped, prune({ by: "frequency", keep: 32 }));
    expect(Buffer.from(all.ids).equals(Buffer.from(shipped.ids))).toBe(true);
  });

  test.each([
    [{ by: "frequency", keep: 33 }, undefined, "keep: expected at most 32 experts of a layer, found 33"],
    [{ by: "frequency", keep: 4, domain: "law" }, undefined, "domain: expected a domain of"],
    [{ by: "file", file: "m.json" }, "[", "m.json: expected valid JSON"],
    [{ by: "file", file: "m.json" }, "7", "expected a list for each of 24 recorded layers, found 0"],
    [
      { by: "file", file: "m.json" },
      JSON.stringify(Array(24).fill([1])),
      "m.json: [0]: expected 32 values, one for each expert, found 1",
    ],
    [
      { by: "file", file: "m.json" },
      JSON.stringify(Array(24).fill(Array(32).fill(2))),
      "[0][0]: expected 0 or 1, found 2",
    ],
    [
      { by: "file", file: "m.json" },
      JSON.stringify(Array(24).fill(Array(32).fill(0))),
      "[0]: expected an expert that stays",
    ],
  ])("refuses %j", (more, text, message) => {
    expect(() => apply(shipped, prune(more), text)).toThrow(InvalidInputError);
    expect(() => apply(shipped, prune(more), text)).toThrow(message);
  });
});

describe("merge", () => {
  test("as many groups as asked for, one in each layer at least; a token visits a group once, and its weight is kept", () => {
    const merged = chain({ ...shipped, weights: shipped.weights! }, [merge(10.5)]).table;
    expect(sum(merged.kept!)).toBe(Math.floor(10.5 * 24));
    for (let layer = 0; layer < 24; layer++)
      expect(sum(merged.kept!.subarray(layer * 32, (layer + 1) * 32))).toBeGreaterThan(0);
    const { topK, layers } = merged;
    for (let from = 0; from < merged.ids.length; from += topK) {
      const visits = Array.from(merged.ids.subarray(from, from + topK)).filter((id) => id < 32);
      const layer = (from / topK) % layers;
      if (
        new Set(visits).size !== visits.length ||
        visits.some((id) => merged.kept![layer * 32 + id] === 0) ||
        visits.length === 0
      )
        expect.fail(`row at ${from}: ${visits.join()}`);
    }
  });

  test("an expert joins the one that tokens choose with it most", () => {
    const table: RoutingTable = { ...scored(6, 4, 2), ids: Uint8Array.of(0, 2, 0, 2, 1, 3, 0, 1, 1, 0, 0, 1) };
    const { ids, kept } = apply(table, merge(2));
    expect([...kept!]).toEqual([1, 1, 0, 0]);
    expect([...ids]).toEqual([0, 4, 0, 4, 1, 4, 0, 1, 1, 0, 0, 1]);
  });

  const small = { ...scored(6, 4, 2), ids: Uint8Array.of(0, 2, 0, 2, 1, 3, 0, 1, 1, 0, 0, 1) };
  const likeness = (rows: number[][]) => JSON.stringify([rows]);

  test("or the one that a file says is most like it, which needs no second choice", () => {
    const file = { similarity: "file", file: "s.json" };
    const text = likeness([Array(4).fill(0), Array(4).fill(0), [-2, -1, 9, 9], [-3, -4, 9, 9]]);
    const { mergedInto } = apply(small, merge(2, "model", file), text);
    expect([...mergedInto!]).toEqual([0, 1, 1, 0]);
    expect(apply(scored(4, 4, 1), merge(2, "model", file), text).kept).toHaveLength(4);
  });

  test("a limit of a group sends the one that loses least elsewhere", () => {
    const file = { similarity: "file", file: "s.json", membersMax: 2 };
    const text = likeness([Array(4).fill(0), Array(4).fill(0), [9, 1, 0, 0], [9, 7, 0, 0]]);
    expect([...apply(small, merge(2, "model", file), text).mergedInto!]).toEqual([0, 1, 0, 1]);
    const { kept, mergedInto } = apply(shipped, merge(8, "layer", { membersMax: 4 }));
    for (let layer = 0; layer < 24; layer++)
      for (let expert = 0; expert < 32; expert++) {
        const members = mergedInto!.subarray(layer * 32, (layer + 1) * 32).filter((into) => into === expert).length;
        if (members !== 4 * kept![layer * 32 + expert]!) expect.fail(`${members} experts in ${expert} of ${layer}`);
      }
  });

  test("groups of groups hold what their groups held", () => {
    const { kept, mergedInto } = chain(shipped, [merge(12), merge(6)]).table;
    expect(sum(kept!)).toBe(6 * 24);
    for (const [at, into] of mergedInto!.entries())
      if (kept![at - (at % 32) + into] !== 1) expect.fail(`${at} is in ${into}, which is not left`);
  });

  test.each([
    [merge(2, "model", { membersMax: 1 }), undefined, "membersMax: expected at least 2, for 4 experts in 2 groups"],
    [merge(2, "model", { similarity: "file", file: "s.json" }), "[]", "s.json: expected a list for each of 1 recorded"],
    [merge(2, "model", { similarity: "file", file: "s.json" }), "[[1]]", "s.json: [0]: expected a list for each of 4"],
    [
      merge(2, "model", { similarity: "file", file: "s.json" }),
      likeness([[1], [], [], []]),
      "s.json: [0][0]: expected a list for each of 4 experts, found 1",
    ],
    [
      merge(2, "model", { similarity: "file", file: "s.json" }),
      '[[[1, "2", 3, 4], [], [], []]]',
      's.json: [0][0][1]: expected a number, found "2"',
    ],
  ])("%j with %s is refused", (transform, text, message) => {
    expect(() => apply(small, transform, text)).toThrow(message);
  });

  test("the same budget by layer and by model is the same total, and all experts are no change", () => {
    const byLayer = apply(shipped, merge(8, "layer"));
    expect(sum(byLayer.kept!)).toBe(sum(apply(shipped, merge(8)).kept!));
    for (let layer = 0; layer < 24; layer++) expect(sum(byLayer.kept!.subarray(layer * 32, (layer + 1) * 32))).toBe(8);
    expect(Buffer.from(apply(shipped, merge(32)).ids).equals(Buffer.from(shipped.ids))).toBe(true);
  });

  test("refuses more groups than experts, parts of a group, and choices that say nothing of likeness", () => {
    expect(() => apply(shipped, merge(33))).toThrow(
      "groups: expected at most 32 experts of a layer on average, found 33",
    );
    expect(() => apply(shipped, merge(8.5, "layer"))).toThrow("groups: expected a whole number with scope layer");
    expect(() => apply(scored(4, 4, 1), merge(2))).toThrow("expected two choices of a token or more");
    expect(() => chain(scored(40, 8, 2), [merge(4), { kind: "bias-balance", u: 1, update: "sign", every: 4 }])).toThrow(
      "the router's scores of all experts, which bias-balance needs",
    );
  });
});

describe("bias-balance", () => {
  const bias = (more: object = {}): ChosenTransform => ({
    kind: "bias-balance",
    u: 0.02,
    update: "sign",
    every: 50,
    ...more,
  });
  const busiest = (table: RoutingTable, from: number, to: number) => {
    const counts = new Array<number>(table.experts).fill(0);
    for (let at = from * table.topK; at < to * table.topK; at++) counts[table.ids[at]!]! += 1;
    const mean = sum(counts) / counts.length;
    return (Math.max(...counts) - mean) / mean;
  };

  test.each(["sign", "proportional"])(
    "MaxVio falls on stationary scores, by %s, and every token keeps its number of experts",
    (update) => {
      const table = scored(4000, 8, 2);
      const balanced = apply(table, bias({ update }));
      expect(balanced.ids).toHaveLength(table.ids.length);
      for (let row = 0; row < table.rows; row++) expect(balanced.ids[row * 2]).not.toBe(balanced.ids[row * 2 + 1]);
      const before = busiest(table, 3000, 4000);
      expect(before).toBeGreaterThan(0.5);
      expect(busiest(balanced, 3000, 4000)).toBeLessThan(before / 4);
    },
  );

  test("after one update no token goes from an expert below the mean to one above it", () => {
    const table = scored(400, 8, 2);
    const balanced = apply(table, bias({ every: 200, freezeAfter: 1 }));
    const counts = new Array<number>(8).fill(0);
    for (const id of table.ids.subarray(0, 400)) counts[id]! += 1;
    expect(Buffer.from(balanced.ids.subarray(0, 400)).equals(Buffer.from(table.ids.subarray(0, 400)))).toBe(true);
    let moved = 0;
    for (let row = 200; row < 400; row++) {
      const [was, is] = [table, balanced].map(({ ids }) => [ids[2 * row]!, ids[2 * row + 1]!]);
      const left = was!.filter((id) => !is!.includes(id));
      const came = is!.filter((id) => !was!.includes(id));
      moved += came.length;
      if (left.length === 1) expect(counts[left[0]!]!).toBeGreaterThan(counts[came[0]!]! - 1);
    }
    expect(moved).toBeGreaterThan(0);
  });

  test("no step is no change; trained choices that go by more than scores are refused", () => {
    const table = scored(100, 8, 2);
    expect(Buffer.from(apply(table, bias({ u: 0 })).ids).equals(Buffer.from(table.ids))).toBe(true);
    const other = { ...table, ids: table.ids.map((id) => 7 - id) };
    expect(() => apply(other, bias())).toThrow("expected choices of the highest scores in layer 0");
    const { scores: _scores, ...plain } = table;
    expect(() => apply(plain, bias())).toThrow("the router's scores of all experts, which bias-balance needs");
  });
});
