import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExpertMap, emptySlot, type MapContext } from "../../../src/engine/expert-maps/expert-map.ts";
import { expertMapFormats, readExpertMap } from "../../../src/engine/expert-maps/expert-map-formats.ts";
import { drawn } from "../../drawn.ts";
import { anyMap, type MapCase } from "./random-maps.ts";

const { sglang, "tensorrt-llm": tensorrtLlm, "vllm-ascend": vllmAscend, vllm, exflow } = expertMapFormats;

const bare = ({ notes: _, ranks: __, ...map }: ExpertMap) => map;

/** What is written is read back the same, by content alone, and written again as the same bytes. */
function returns(name: keyof typeof expertMapFormats, { map, context }: MapCase): void {
  const text = expertMapFormats[name].write(map, context);
  const read = readExpertMap(text, "auto", context);
  expect(read.format).toBe(name);
  expect(bare(read.map)).toEqual(bare(map));
  expect(read.map.ranks === null || read.map.ranks === map.ranks).toBe(true);
  expect(expertMapFormats[name].write(read.map, context)).toBe(text);
}

/** Whether some slot of a map, or of one of its ranks, is as said. */
const hasEmpty = ({ logicalExperts }: ExpertMap): boolean => logicalExperts.includes(emptySlot);

describe("what a format writes it reads back", () => {
  for (const name of ["sglang", "tensorrt-llm"] as const)
    test(`${name}, with copies and twins`, () => {
      fc.assert(
        fc.property(anyMap({ copies: true, twins: true, empty: false }), (one) => {
          fc.pre(!hasEmpty(one.map));
          returns(name, one);
        }),
        { numRuns: drawn(100) },
      );
    });

  test("vllm-ascend, with copies and ranks of unequal numbers of experts", () => {
    fc.assert(
      fc.property(anyMap({ copies: true, twins: false, empty: true }), (one) => {
        const { map } = one;
        const perRank = map.slots / map.ranks!;
        // A rank that is empty at its end on all layers and ranks would be cut.
        const full = Array.from({ length: map.layers * map.ranks! }, (_, i) =>
          map.logicalExperts.subarray(i * perRank, (i + 1) * perRank),
        ).some((held) => !held.includes(emptySlot));
        fc.pre(full);
        returns("vllm-ascend", one);
      }),
      { numRuns: drawn(100) },
    );
  });

  test("exflow, in ascending order on each rank", () => {
    fc.assert(
      fc.property(anyMap({ copies: false, twins: false, empty: false }), (one) => {
        const { map, context } = one;
        const perRank = map.slots / map.ranks!;
        const logicalExperts = map.logicalExperts.slice();
        for (let from = 0; from < logicalExperts.length; from += perRank)
          logicalExperts.subarray(from, from + perRank).sort();
        returns("exflow", { map: { ...map, logicalExperts }, context });
      }),
      { numRuns: drawn(100) },
    );
  });
});

const model = (part: Partial<MapContext> = {}): MapContext => ({
  file: "map.txt",
  layers: 3,
  moeLayers: [1, 2],
  experts: 4,
  groups: 1,
  ranks: 2,
  ...part,
});

const mapOf = (rows: number[][], ranks = 2, experts = 4): ExpertMap => ({
  layers: rows.length,
  experts,
  slots: rows[0]!.length,
  ranks,
  logicalExperts: Uint16Array.from(rows.flat()),
  notes: [],
});

describe("sglang", () => {
  test("numbers all decoder layers, and gives dense ones the trivial row", () => {
    const text = sglang.write(
      mapOf(
        [
          [3, 0, 1, 2],
          [0, 1, 2, 3],
        ].map((row) => [...row, 1, 0]),
      ),
      model(),
    );
    expect(JSON.parse(text)).toEqual({
      physical_to_logical_map: [
        [0, 1, 2, 3, 0, 1],
        [3, 0, 1, 2, 1, 0],
        [0, 1, 2, 3, 1, 0],
      ],
    });
  });

  test("reads a file of MoE layers alone, and says that SGLang would not", () => {
    const map = sglang.read('{"physical_to_logical_map": [[3,0,1,2],[0,1,2,3]]}', model());
    expect([...map.logicalExperts]).toEqual([3, 0, 1, 2, 0, 1, 2, 3]);
    expect(map.notes.join()).toMatch(/SGLang itself expects 3, dense layers included/);
  });

  test("the published example of EPLB", () => {
    const example = JSON.parse(readFileSync(new URL("../../golden/eplb-example.json", import.meta.url), "utf8"));
    const context = model({ layers: 2, moeLayers: [0, 1], experts: 12, ranks: 8 });
    const text = JSON.stringify({ physical_to_logical_map: example.phy2log });
    const map = sglang.read(text, context);
    expect([...map.logicalExperts]).toEqual(example.phy2log.flat());
    for (const name of ["sglang", "tensorrt-llm", "vllm-ascend"] as const) {
      const again = readExpertMap(expertMapFormats[name].write(map, context), name, context);
      expect([...again.map.logicalExperts]).toEqual(example.phy2log.flat());
    }
  });

  test("counts are loads, no map", () => {
    expect(() => sglang.read('{"logical_count": [[1,2,3,4],[1,2,3,4],[1,2,3,4]]}', model())).toThrow(
      /logical_count is the load of each expert/,
    );
  });
});

describe("tensorrt-llm", () => {
  const read = (text: string, part: Partial<MapContext> = {}) => [
    ...tensorrtLlm.read(text, model(part)).logicalExperts,
  ];

  test("every way in which YAML is written", () => {
    const flow =
      "num_slots: 4\ninitial_global_assignments:\n  1: [3, 0,\n    1, 2]\n  2: [0, 1, 2, 3]\nlayer_updates_per_iter: 0\n";
    const block =
      "initial_global_assignments:\n  1:\n  - 3\n  - 0\n  - 1\n  - 2\n  2:\n    - 0\n    - 1\n    - 2\n    - 3\nnum_slots: 4 # all\n";
    const braces =
      "{initial_global_assignments: {1: [3, 0, 1, 2], '2': [0, 1, 2, 3]}, layer_updates_per_iter: 0, num_slots: 4}\n";
    const json = '{"num_slots": 4, "initial_global_assignments": {"1": [3,0,1,2], "2": [0,1,2,3]}}';
    for (const text of [flow, block, braces, json]) expect(read(text)).toEqual([3, 0, 1, 2, 0, 1, 2, 3]);
  });

  test("goes by the number of a layer, in any order, and leaves out layers for multi-token prediction", () => {
    const text = "num_slots: 4\ninitial_global_assignments:\n  3: [0, 1, 2, 3]\n  2: [0, 1, 2, 3]\n  1: [3, 2, 1, 0]\n";
    expect(read(text)).toEqual([3, 2, 1, 0, 0, 1, 2, 3]);
    expect(tensorrtLlm.read(text, model()).notes.join()).toMatch(/multi-token prediction.*: 3/);
  });

  test("says that online balancing goes on", () => {
    const text =
      "num_slots: 4\nlayer_updates_per_iter: 2\ninitial_global_assignments:\n  1: [0, 1, 2, 3]\n  2: [0, 1, 2, 3]\n";
    expect(tensorrtLlm.read(text, model()).notes.join()).toMatch(/moves the experts of 2 layers/);
    expect(() => read("num_slots: 4\nlayer_updates_per_iter: 1\n")).toThrow(/online balancing alone/);
  });
});

describe("vllm", () => {
  const trivial = mapOf([
    [0, 1, 2, 3],
    [0, 1, 2, 3],
  ]);

  test("states linear, round_robin with groups, and what EPLB starts with", () => {
    expect(vllm.write(trivial, model())).toContain("--expert-placement-strategy linear");
    const robin = mapOf([
      [0, 2, 1, 3],
      [0, 2, 1, 3],
    ]);
    expect(vllm.write(robin, model({ groups: 2 }))).toContain("round_robin");
    const copies = mapOf([
      [0, 1, 2, 3, 0, 1],
      [0, 1, 2, 3, 0, 1],
    ]);
    expect(vllm.write(copies, model())).toContain(`--enable-eplb --eplb-config '{"num_redundant_experts": 2}'`);
    for (const [map, context] of [
      [trivial, model()],
      [robin, model({ groups: 2 })],
      [copies, model()],
    ] as const)
      returns("vllm", { map, context });
  });

  test("refuses any other map by name, and round_robin that vLLM would replace", () => {
    const other = mapOf([
      [3, 1, 2, 0],
      [0, 1, 2, 3],
    ]);
    expect(() => vllm.write(other, model())).toThrow(/vLLM takes no file of any other/);
    const robin = mapOf([
      [0, 2, 1, 3],
      [0, 2, 1, 3],
    ]);
    expect(() => vllm.write(robin, model())).toThrow(/only where the router groups experts/);
    expect(() => vllm.read("--expert-placement-strategy round_robin", model())).toThrow(/takes linear otherwise/);
  });

  test("reads windows and intervals as what comes later", () => {
    const flags = `--enable-eplb --eplb-config '{"window_size": 1000, "step_interval": 3000, "num_redundant_experts": 2}' --max-num-seqs 8`;
    const map = vllm.read(flags, model());
    expect([...map.logicalExperts]).toEqual([0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1]);
    expect(map.notes.join("; ")).toMatch(/after a quarter of step_interval/);
    expect(map.notes).toContain("not read: --max-num-seqs");
  });
});

test("formats that cannot state an empty slot or a copy refuse it", () => {
  const padded = mapOf(
    [
      [0, 1, 2, emptySlot],
      [0, 1, 2, emptySlot],
    ],
    2,
    3,
  );
  const context = model({ experts: 3 });
  for (const format of [sglang, tensorrtLlm])
    expect(() => format.write(padded, context)).toThrow(/cannot state an empty one/);
  returns("vllm-ascend", { map: padded, context });
  returns("exflow", { map: padded, context });
  const copies = mapOf([
    [0, 1, 2, 3, 0, 1],
    [0, 1, 2, 3, 0, 1],
  ]);
  expect(() => exflow.write(copies, model())).toThrow(/states no copies/);
});

test("two copies of an expert on one rank are refused where the engine would lose one", () => {
  const twins = mapOf([
    [0, 0, 1, 2, 3, 1],
    [0, 1, 2, 3, 0, 1],
  ]);
  expect(() => vllmAscend.write(twins, model())).toThrow(
    /layer 0, rank 0: expected each expert at most once on a rank/,
  );
  returns("sglang", { map: twins, context: model({ layers: 2, moeLayers: [0, 1] }) });
});

test("a format that states ranks refuses a map without any", () => {
  const map = { ...mapOf([[0, 1, 2, 3]]), ranks: null };
  for (const format of [vllmAscend, exflow, vllm])
    expect(() => format.write(map, model({ ranks: null }))).toThrow(/number of ranks/);
});
