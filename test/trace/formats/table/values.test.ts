import { expect, test } from "vitest";
import { phases } from "../../../../src/trace/container/trace-tensors.ts";
import {
  decimalNumber,
  layerNumber,
  listCell,
  numberedName,
  phaseCode,
  wholeNumber,
} from "../../../../src/trace/formats/table/values.ts";

test.each([
  ["[1, 2]", ["1", "2"]],
  ["(1,)", ["1"]],
  ["[ 1  2\n 3]", ["1", "2", "3"]],
  ["tensor([1, 2], device='cuda:0')", ["1", "2"]],
  ["tensor([1, 2], device='cuda:0', dtype=torch.int32)", ["1", "2"]],
  ["array([1, 2], dtype=int32)", ["1", "2"]],
  ["['expert_1', 'expert_2']", ["expert_1", "expert_2"]],
  ["1|2", ["1", "2"]],
  ["1; 2", ["1", "2"]],
  ["1 , 2", ["1", "2"]],
  ["1 None nan -1", ["1", null, null, "-1"]],
  ["[]", []],
  ["", []],
  ["nan", []],
  [
    [1, "2", null],
    [1, "2", null],
  ],
  [3, [3]],
  [null, []],
])("%j is a list", (value, entries) => {
  expect(listCell(value)?.entries).toEqual(entries);
});

test("a value alone is no list of one", () => {
  expect(["5", 5, "[5]", [5], "5 6"].map((value) => listCell(value)?.single)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("ids may stand with their weights", () => {
  for (const value of ["3:0.5 7:0.25", "{3: 0.5, 7: 0.25}", '{"3": 0.5, "7": 0.25}'])
    expect(listCell(value)).toMatchObject({ entries: ["3", "7"], paired: ["0.5", "0.25"], single: false });
  expect(listCell({ "3": 0.5, "7": 0.25 })).toMatchObject({ entries: ["3", "7"], paired: [0.5, 0.25] });
});

test.each([[[[1, 2]]], [true], ["[[1, 2], [3, 4]]"], ["1:2:3"], ["1:2 3"], ["[1, 2"], ["f(1)"], [{ a: [1] }]])(
  "%j is no list",
  (value) => {
    expect(listCell(value)).toBeNull();
  },
);

test("whole numbers may be floats of a table, but nothing else", () => {
  expect([3, "3", "3.0", "3.", "007"].map(wholeNumber)).toEqual([3, 3, 3, 3, 7]);
  for (const value of [-1, 1.5, Number.NaN, 1e300, "-1", "1.5", "1e3", "0x1", "", " ", "1_000", "1,000", "\u0663"])
    expect(wholeNumber(value)).toBeNull();
});

test("weights are decimal numbers", () => {
  expect(["0.5", ".5", "-1", "1e-3", 2].map(decimalNumber)).toEqual([0.5, 0.5, -1, 0.001, 2]);
  for (const value of ["nan", "inf", "0x1", "", "1,5"]) expect(decimalNumber(value)).toBeNull();
});

test("names of experts end in their number", () => {
  expect(numberedName("expert_17")).toEqual({ prefix: "expert_", number: 17 });
  expect(numberedName("layers.3.experts.17")).toEqual({ prefix: "layers.3.experts.", number: 17 });
  expect(numberedName("E5")).toEqual({ prefix: "E", number: 5 });
  expect(numberedName(4)).toEqual({ prefix: "", number: 4 });
  for (const value of ["1e3", "0x10", "expert", "-3", "1.5"]) expect(numberedName(value)).toBeNull();
});

test("layers are numbers, or the one number of a module's name that is a layer's", () => {
  expect(
    [
      "3",
      "3.0",
      3,
      "L3",
      "layer_3",
      "model.layers.3.mlp.gate",
      "transformer.h.3.moe",
      "blk.3.ffn_moe_topk",
      "decoder.block.3.layer.1.mlp",
    ].map(layerNumber),
  ).toEqual([3, 3, 3, 3, 3, 3, 3, 3, null]);
  for (const value of ["attention", "a3b4", "-3", "ffn_moe_topk", 3.5]) expect(layerNumber(value)).toBeNull();
});

test("phases are words, or true and false of a column that says of what", () => {
  expect(
    ["Prefill", "prompt", "EXTEND", "decode", "generation", "unknown", null].map((word) => phaseCode(word, "phase")),
  ).toEqual([
    phases.prefill,
    phases.prefill,
    phases.prefill,
    phases.decode,
    phases.decode,
    phases.unknown,
    phases.unknown,
  ]);
  expect([true, "True", 1, false, "0"].map((word) => phaseCode(word, "is_prefill"))).toEqual([1, 1, 1, 2, 2]);
  expect([true, false].map((word) => phaseCode(word, "is_decode"))).toEqual([2, 1]);
  for (const [word, column] of [
    ["verify", "phase"],
    [true, "phase"],
    [2, "is_prefill"],
  ] as const)
    expect(phaseCode(word, column)).toBeNull();
});
