import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { loadCountsTable } from "../../../src/trace/load-counts.ts";
import { npy, npz, safetensors, temporaryFolder } from "../routing-files.ts";
import { gguf } from "./gguf-file.ts";
import { openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

test("logical counts keep steps, layers and experts", async () => {
  const values = Array.from({ length: 24 }, (_value, i) => i * 3);
  const header = { logical_count: { dtype: "I64", shape: [2, 3, 4], data_offsets: [0, 192] } };
  const path = folder.write(
    "logical.safetensors",
    safetensors(header, new Uint8Array(BigInt64Array.from(values, BigInt).buffer)),
  );
  const { file, format } = await open([path], { modelLayers: [3, 4, 5], topK: 2 });
  expect(format).toBe("logical-count");
  expect(await loadCountsTable(file)).toMatchObject({
    steps: 2,
    layers: 3,
    experts: 4,
    topK: 2,
    modelLayers: [3, 4, 5],
    counts: Uint32Array.from(values),
  });
  await file.close();
  const negative = folder.write("negative.npz", npz({ logical_count: npy(Int32Array.of(1, -1), [1, 2]) }));
  await expect(open([negative])).rejects.toThrow(/counts from 0/);
});

test("expert-distribution files of several ranks are added up, equal ones once", async () => {
  const head = "layer_id,expert_id,count\r\n";
  const paths = [
    folder.write("rank0.csv", `${head}3,0,5\r\n3,2,7\r\n4,1,9\r\n`),
    folder.write("rank1.csv", `${head}3,0,1\r\n`),
    folder.write("rank2.csv", `${head}3,0,1\r\n`),
  ];
  const { file, format, warnings } = await open(paths, { experts: 4 });
  expect(format).toBe("expert-distribution");
  expect(warnings.join()).toContain("not counted again");
  expect(file.header.layers).toEqual([3, 4]);
  expect([...(await loadCountsTable(file)).counts]).toEqual([6, 0, 7, 0, 0, 9, 0, 0]);
  await file.close();
  await expect(open([folder.write("bad.csv", `${head}3,0,x\n`)])).rejects.toThrow(/bad\.csv:2/);
});

test("counts by domain import one model, a step per domain", async () => {
  const path = folder.write(
    "expert_counts.json",
    JSON.stringify({
      "toy/code/L0": [1, 2],
      "toy/code/L7": [3, 4],
      "toy/prose/L0": [5, 6],
      "toy/prose/L7": [7, 8],
      "big/code/L0": [1, 1, 1],
    }),
  );
  const { file, format, warnings } = await open([path]);
  expect(format).toBe("domain-counts");
  expect(warnings.join()).toContain("the file also has big");
  expect(file.header).toMatchObject({ model: "toy", layers: [0, 7], domains: ["code", "prose"], experts: 2 });
  expect([...(await loadCountsTable(file)).counts]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...(await loadCountsTable(file, { domain: "prose" })).counts]).toEqual([5, 6, 7, 8]);
  await file.close();
  const other = await open([path], { model: "big", domains: ["code"] });
  expect(other.file.header).toMatchObject({ model: "big", experts: 3, layers: [0] });
  await other.file.close();
  await expect(open([path], { model: "none" })).rejects.toThrow(/toy or big/);
});

/** Counts of 3 layers and 8 experts, 40 choices in each layer. */
const matrix = [
  [9, 9, 7, 6, 4, 3, 1, 1],
  [1, 2, 3, 4, 6, 6, 9, 9],
  [5, 5, 5, 5, 8, 4, 4, 4],
];
const csv = (rows: readonly (readonly (number | string)[])[]) => rows.map((row) => row.join(",")).join("\n");

/** What is read of a file: counts, layers and what was said. */
async function read(name: string, data: Uint8Array | string, options = {}) {
  const { file, format, warnings } = await open([folder.write(name, data)], options);
  const { counts, modelLayers, experts, steps } = await loadCountsTable(file);
  await file.close();
  return { format, counts: [...counts], layers: modelLayers, experts, steps, warnings };
}
const whole = { counts: matrix.flat(), layers: [0, 1, 2], experts: 8, steps: 1, warnings: [] };

test("counts as JSON: logical_count with and without steps, bare lists, objects by layer", async () => {
  const json = (value: unknown) => read("c.json", JSON.stringify(value));
  expect(await json({ logical_count: matrix })).toEqual({ ...whole, format: "count-matrix" });
  expect(await json(matrix)).toMatchObject(whole);
  const steps = await json({ logical_count: [matrix, matrix], rank: 0 });
  expect(steps).toMatchObject({ steps: 2, counts: [...matrix.flat(), ...matrix.flat()], warnings: ["not used: rank"] });
  expect(await json({ "3": matrix[0], "4": matrix[1], "12": matrix[2] })).toMatchObject({
    ...whole,
    layers: [3, 4, 12],
  });
  const sparse = { "1": { "7": 5, "0": 2 }, "0": { "3": 7 } };
  expect(await json(sparse)).toMatchObject({
    layers: [0, 1],
    experts: 8,
    counts: [0, 0, 0, 7, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 5],
  });
  await expect(json({ physical_to_logical_map: matrix })).rejects.toThrow(/a placement of experts counts nothing/);
  await expect(
    json([
      [1, 2.5, 0.5],
      [2, 1, 1],
    ]),
  ).rejects.toThrow(/counts/);
  await expect(json({ logical_count: [[1, 2], [3]] })).rejects.toThrow(/expected 2 counts, found 1/);
});

test("counts as CSV: with and without a header and a column of layers, in other separators, as whole floats", async () => {
  const head = [...matrix[0]!.keys()];
  const indexed = matrix.map((row, i) => [i + 3, ...row]);
  const text = (rows: readonly (readonly (number | string)[])[], end = "") => read("m.csv", csv(rows) + end);
  expect(await text(matrix)).toEqual({ ...whole, format: "count-matrix" });
  expect(await text(matrix, "\r\n")).toMatchObject(whole);
  expect(await text([head, ...matrix])).toMatchObject(whole);
  expect(await text([head.map((e) => `expert_${e}`), ...matrix])).toMatchObject(whole);
  expect(await text([["", ...head], ...indexed])).toMatchObject({ ...whole, layers: [3, 4, 5] });
  expect(await text([["layer", ...head], ...indexed])).toMatchObject({ ...whole, layers: [3, 4, 5] });
  expect(await text(indexed)).toMatchObject({ ...whole, layers: [3, 4, 5] });
  const spaced = matrix.map((row) => row.map((count) => count.toExponential(4)).join(" ")).join("\n");
  expect(await read("m.txt", spaced)).toMatchObject(whole);
  await expect(text([...matrix, [1, 2, 3]])).rejects.toThrow(/m\.csv:4: expected 8 numbers/);
});

test("numbers that may be ids, turned matrices and pairs are refused until somebody says that they count", async () => {
  const uneven = [matrix[0]!, matrix[1]!.map((count) => 2 * count)];
  await expect(read("m.csv", csv(uneven))).rejects.toThrow(/rows all have one sum.*--kind counts/);
  expect((await read("m.csv", csv(uneven), { kind: "counts" })).counts).toEqual(uneven.flat());
  expect((await read("expert_counts.csv", csv(uneven))).counts).toEqual(uneven.flat());
  const turned = matrix[0]!.map((_count, expert) => matrix.map((row) => row[expert]!).concat(0, 0));
  await expect(read("m.csv", csv(turned))).rejects.toThrow(/transpose/);
  const mask = [0, 1, 2].map((layer) => Array.from({ length: 8 }, (_value, e) => Number(e % 2 === layer % 2)));
  await expect(read("mask.json", JSON.stringify(mask))).rejects.toThrow(/may be ids as well/);
  await expect(
    read(
      "popularity.json",
      JSON.stringify([
        [0, 3],
        [1, 2],
        [2, 7],
      ]),
    ),
  ).rejects.toThrow(InvalidInputError);
});

test("a lone array of counts is one, whole floats too, and layers that count nothing are dense", async () => {
  expect(await read("a.npy", npy(BigInt64Array.from(matrix.flat(), BigInt), [3, 8]))).toEqual({
    ...whole,
    format: "logical-count",
  });
  expect(await read("a.npy", npy(Float64Array.from(matrix.flat()), [3, 8]))).toMatchObject(whole);
  const dense = [...Array(8).fill(0), ...matrix.flat()];
  const { counts, layers, warnings } = await read("a.npy", npy(Int32Array.from(dense), [4, 8]));
  expect([counts, layers]).toEqual([matrix.flat(), [1, 2, 3]]);
  expect(warnings).toEqual(["layer 0 of the input: only zeros, as in dense layers; left out"]);
  await expect(read("logical_count.npy", npy(new Int32Array(24), [3, 8]))).rejects.toThrow(/the capture failed/);
  const physical = npz({ physical_count: npy(Int32Array.from(matrix.flat()), [3, 8]) });
  await expect(read("p.npz", physical)).rejects.toThrow(/counts of physical ones/);
  const half = npz({ logical_count: npy(Float32Array.of(1, 0.5), [1, 2]) });
  await expect(read("h.npz", half)).rejects.toThrow(/counts from 0 to below 2\^31, found 0\.5/);
});

test("an importance matrix gives the tokens that each expert saw, whose sums of squares are not read", async () => {
  const tensors = {
    "blk.2.ffn_down_exps.weight.in_sum2": [1, 2, 3],
    "blk.2.ffn_down_exps.weight.counts": matrix[0]!,
    "blk.2.ffn_gate_exps.weight.counts": matrix[0]!,
    "blk.10.ffn_gate_exps.weight.counts": matrix[1]!,
    "blk.10.ffn_up_exps.weight.counts": matrix[2]!,
    "blk.10.attn_q.weight.counts": [40],
  };
  const found = await read("im.gguf", gguf({ "general.type": "imatrix" }, tensors));
  expect(found).toMatchObject({
    format: "imatrix",
    layers: [2, 10],
    counts: [...matrix[0]!, ...matrix[1]!],
    experts: 8,
  });
  expect(found.warnings).toEqual([
    "1 layers count differently in their gate, up and down tensors: the first of them is read",
  ]);
  const model = gguf({ "general.architecture": "qwen3moe" }, { "blk.0.attn_q.weight": [1] });
  await expect(read("model.gguf", model)).rejects.toThrow(
    /expected imatrix, found "qwen3moe" \(a GGUF file of weights holds no routing/,
  );
  await expect(
    read("dense.gguf", gguf({ "general.type": "imatrix" }, { "blk.0.attn_q.weight.counts": [4] })),
  ).rejects.toThrow(/counts of experts/);
  const whole = gguf({ "general.type": "imatrix" }, tensors);
  await expect(read("cut.gguf", whole.subarray(0, whole.length - 40))).rejects.toThrow(/truncated|at least/);
});

test("counts of shared experts that an engine fuses are left out, unless all are stated", async () => {
  const fused = matrix.map((row) => [...row, 20]);
  const note = /expert 8 counts every token in all layers.*leaves top-2 of 8 experts; state 9 experts to keep it/;
  const array = npy(Int32Array.from(fused.flat()), [3, 9]);
  const found = await read("a.npy", array);
  expect(found).toMatchObject({ ...whole, warnings: [expect.stringMatching(note)] });
  expect(await read("a.npy", array, { experts: 8 })).toMatchObject({ counts: matrix.flat(), experts: 8 });
  expect(await read("a.npy", array, { experts: 9 })).toMatchObject({ counts: fused.flat(), warnings: [] });
  await expect(read("a.npy", array, { experts: 7 })).rejects.toThrow(/counts of 7 experts, as stated, found "of 9/);
  const twice = matrix.map((row) => [...row, 20, 20]);
  expect(await read("c.json", JSON.stringify({ logical_count: twice }))).toMatchObject({ counts: matrix.flat() });
  // A dense layer and a step without tokens say nothing; other numbers of tokens in the steps agree.
  const none = Array(9).fill(0);
  const steps = [
    [none, ...fused],
    [none, none, none, none],
    [none, ...fused.map((row) => row.map((n) => 3 * n))],
  ];
  const several = await read("s.npy", npy(Int32Array.from(steps.flat(2)), [3, 4, 9]));
  expect(several.counts.slice(0, 24)).toEqual(matrix.flat());
  expect(several.warnings).toEqual([expect.stringMatching(note), expect.stringMatching(/layer 0 of the input/)]);
});

test("the most popular expert in the last place, balanced counts and one layer are no shared experts", async () => {
  const kept = async (rows: readonly (readonly number[])[]) => {
    const { experts } = await read(
      "logical_count.npy",
      npy(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length]),
    );
    expect(experts).toBe(rows[0]!.length);
  };
  await kept([[...matrix[0]!, 20]]);
  await kept([
    [...matrix[0]!, 20],
    [...matrix[1]!, 10],
  ]);
  await kept([
    [...matrix[0]!, 20],
    [...matrix[1]!, 21],
  ]);
  await kept(Array.from({ length: 4 }, () => Array(8).fill(5)));
  await kept(Array.from({ length: 4 }, () => [0, 0, 0, 5]));
});

test("of ids and their counts in one file the ids are read, and the counts where they are asked for", async () => {
  const ids = [0, 1, 1, 2, 2, 0, 0, 2];
  const path = folder.write(
    "both.npz",
    npz({
      expert_counts: npy(Int32Array.of(3, 2, 3), [1, 3]),
      topk_ids: npy(Int32Array.from(ids), [4, 1, 2]),
    }),
  );
  const tokens = await open([path], { experts: 3 });
  expect(tokens).toMatchObject({ format: "routed-experts", warnings: ["not used: expert_counts"] });
  expect([...(await tokens.file.readLayer(0, 0, 4))]).toEqual(ids);
  await tokens.file.close();
  const counts = await open([path], { experts: 3, kind: "counts" });
  expect(counts).toMatchObject({ format: "logical-count", warnings: ["not used: topk_ids"] });
  expect([...(await loadCountsTable(counts.file)).counts]).toEqual([3, 2, 3]);
  await counts.file.close();
});

test("counts by layer and expert are read under the names that tools give the columns", async () => {
  const rows = "3,0,5\n3,2,7\n4,1,9\n";
  for (const header of [
    "layer,expert,count",
    "layer_idx,expert_idx,frequency",
    '"layer", "expert_id", "num_tokens"',
    "Layer,Expert,Count",
  ])
    expect(await read("e.csv", `${header}\n${rows}`, { experts: 3 })).toMatchObject({
      format: "expert-distribution",
      layers: [3, 4],
      counts: [5, 0, 7, 0, 9, 0],
    });
  const tokens = await open([folder.write("e.csv", "layer,expert,token\n0,3,0\n0,1,0\n0,2,1\n0,1,1\n")], {
    experts: 4,
  });
  expect(tokens).toMatchObject({ format: "table" });
  await tokens.file.close();
});
