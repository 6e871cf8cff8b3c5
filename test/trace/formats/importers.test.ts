import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { RoutingTraceFile } from "../../../src/trace/container/open-trace.ts";
import { importTrace } from "../../../src/trace/formats/import-trace.ts";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { loadCountsTable } from "../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { distinctIds, draws, importAndOpen, npy, npz, safetensors, temporaryFolder } from "../routing-files.ts";

const folder = temporaryFolder();
const open = (paths: readonly string[], options?: ImportOptions) =>
  importAndOpen(folder.path("imported.safetensors"), paths, options);
const column = async (file: RoutingTraceFile, name: "sequence" | "position" | "phase" | "step" | "slot" | "domain") => [
  ...(await file.readColumn(name, 0, file.rows)),
];
const layer = async (file: RoutingTraceFile, index: number) => [...(await file.readLayer(index, 0, file.rows))];

/** Ids [tokens, layers, k] of a synthetic recording. */
function recording(seed: number, tokens: number, layers: number, experts: number, topK: number): number[] {
  const draw = draws(seed);
  return Array.from({ length: tokens * layers }, () => distinctIds(draw, experts, topK)).flat();
}

// --- returned routed experts

test("each returned array is one sequence, in one npz or in several files", async () => {
  const a = recording(1, 20, 3, 16, 4);
  const b = recording(2, 7, 3, 16, 4);
  const together = folder.write(
    "both.npz",
    npz({ req0: npy(Int16Array.from(a), [20, 3, 4]), req1: npy(Int16Array.from(b), [7, 3, 4]) }),
  );
  const { file, format } = await open([together], { experts: 16, domains: ["chat"], model: "toy" });
  expect(format).toBe("routed-experts");
  expect(file.header).toMatchObject({ model: "toy", experts: 16, topK: 4, layers: [0, 1, 2], domains: ["chat"] });
  const table = await loadRoutingTable(file);
  expect([...table.sequenceStarts]).toEqual([0, 20, 27]);
  expect([...table.ids]).toEqual([...a, ...b]);
  await file.close();

  const apart = [
    folder.write("req0.npy", npy(BigInt64Array.from(a, BigInt), [20, 3, 4])),
    folder.write("req1.npy", npy(Uint8Array.from(b), [7, 3, 4])),
  ];
  const split = await open(apart, { experts: 16, domains: ["chat"], model: "toy" });
  const same = await loadRoutingTable(split.file);
  expect({ ...same, origin: null }).toEqual({ ...table, origin: null });
  await split.file.close();
});

test("the prompt part of a request comes before its generated part, whatever their order in the file", async () => {
  const prompt = recording(3, 5, 2, 8, 2);
  const generated = recording(4, 4, 2, 8, 2);
  const path = folder.write(
    "parts.npz",
    npz({
      routed_experts: npy(Int16Array.from(generated), [4, 2, 2]),
      prompt_routed_experts: npy(Int16Array.from(prompt), [5, 2, 2]),
    }),
  );
  const { file } = await open([path], { experts: 8 });
  expect(await column(file, "sequence")).toEqual(Array(9).fill(0));
  expect(await column(file, "position")).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await column(file, "phase")).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2]);
  const table = await loadRoutingTable(file);
  expect([...table.ids]).toEqual([...prompt, ...generated]);
  expect(table.origin.phase).toBe("mixed");
  await file.close();
});

test("interleaved streams are taken apart, and are noticed when nobody says so", async () => {
  const draw = draws(5);
  // Four texts whose tokens keep most experts of the token before; row i is token floor(i / 4) of text i mod 4.
  const texts = [0, 1, 2, 3].map(() => {
    let last = distinctIds(draw, 32, 4);
    return Array.from({ length: 100 }, () => {
      last = [
        ...last.slice(1),
        ...distinctIds(draw, 32, 32)
          .filter((id) => !last.includes(id))
          .slice(0, 1),
      ];
      return last;
    });
  });
  const rows = Array.from({ length: 400 }, (_value, i) => texts[i % 4]![Math.floor(i / 4)]!);
  const path = folder.write(
    "streams.npz",
    npz({
      expert_ids: npy(Uint8Array.from(rows.flat()), [400, 1, 4]),
      weights: npy(
        Float32Array.from(rows.flat(), (id) => id / 64),
        [400, 1, 4],
      ),
      layers: npy(Int32Array.of(2), [1]),
    }),
  );
  const plain = await open([path], { experts: 32 });
  expect(plain.warnings.join("\n")).toContain("interleaved = 4");
  await plain.file.close();

  const { file, warnings } = await open([path], { experts: 32, interleaved: 4 });
  expect(warnings).toEqual([]);
  expect(file.header.layers).toEqual([2]);
  expect(file.header.provenance.grouping).toContain("stream i mod 4");
  const table = await loadRoutingTable(file);
  expect([...table.ids]).toEqual(texts.flat(2));
  expect([...table.sequenceStarts]).toEqual([0, 100, 200, 300, 400]);
  expect((await file.readWeights(0, 1, 2))[0]).toBe(texts[1]![0]![0]! / 64);
  await file.close();
});

test("several sequences in one four-dimensional array keep their listed positions", async () => {
  const ids = recording(6, 3 * 5, 2, 8, 2);
  const path = folder.write(
    "four.npz",
    npz({ expert_ids: npy(Uint8Array.from(ids), [3, 5, 2, 2]), positions: npy(Int32Array.of(1, 2, 3, 4, 5), [5]) }),
  );
  const { file } = await open([path], { experts: 8 });
  expect(await column(file, "sequence")).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  expect((await column(file, "position")).slice(3, 8)).toEqual([4, 5, 1, 2, 3]);
  await file.close();
});

test("padding and warm-up rows are dropped and counted, a layer without ids is absent", async () => {
  const ids = recording(7, 10, 2, 8, 2);
  ids.fill(-1, 0, 8);
  ids.fill(-1, 10 * 2, 10 * 2 + 2);
  const dummy = Array.from({ length: 100 }, () => [1, 2, 3, 4]).flat();
  const path = folder.write("padded.npy", npy(Int32Array.from([...dummy, ...ids]), [110, 2, 2]));
  const { file, warnings } = await open([path], { experts: 8 });
  expect(file.rows).toBe(8);
  expect(file.header.provenance.droppedRows).toBe(102);
  expect(warnings.join("\n")).toContain("102 warm-up or padding rows were dropped, 8 are kept");
  expect((await layer(file, 0)).slice(6, 8)).toEqual([255, 255]);
  expect((await loadRoutingTable(file)).rows).toBe(7);
  await file.close();
  const partly = folder.write("partly.npy", npy(Int32Array.of(1, -1), [1, 1, 2]));
  await expect(open([partly], { experts: 8 })).rejects.toThrow(/all or none/);
});

test("without a stated number of experts the largest id decides, with a warning; a larger id is refused", async () => {
  const path = folder.write("plain.npy", npy(Uint8Array.of(0, 5, 3, 1), [2, 1, 2]));
  const { file, warnings } = await open([path]);
  expect(file.header.experts).toBe(6);
  expect(warnings.join()).toContain("6 taken from the largest id");
  await file.close();
  await expect(open([path], { experts: 5 })).rejects.toThrow(/expert ids below 5, found 5/);
});

test("files that differ by a number are one domain, named files are several", async () => {
  const ids = (seed: number) => npy(Uint8Array.from(recording(seed, 2, 1, 8, 2)), [2, 1, 2]);
  const names = ["req1.npy", "req2.npy", "code_001.npy", "code_002.npy", "math.npy", "17.npy"];
  const { file } = await open(
    names.map((name, i) => folder.write(name, ids(i))),
    { experts: 8 },
  );
  expect(file.header.domains).toEqual(["req", "code", "math", "unlabelled"]);
  expect(await column(file, "domain")).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3]);
  await file.close();
});

test("duplicate experts in a row leave no file behind", async () => {
  const path = folder.write("duplicate.npy", npy(Uint8Array.of(3, 3), [1, 1, 2]));
  const output = folder.path("never.safetensors");
  await expect(importAndOpen(output, [path], { experts: 8 })).rejects.toThrow(InvalidInputError);
  await expect(importAndOpen(folder.path("other"), [output])).rejects.toThrow(/a file that exists/);
});

// --- one layer, one step

test("whole-batch steps of one layer take layer and step from the file name", async () => {
  const paths = [4, 5].map((step) =>
    folder.write(
      `toy_b6__0${step}_016.npz`,
      npz({ data: npy(BigInt64Array.from(recording(step, 6, 1, 16, 2), BigInt), [6, 2]) }),
    ),
  );
  const { file, format } = await open(paths, { experts: 16 });
  expect(format).toBe("step-routing");
  expect(file.header.layers).toEqual([16]);
  expect(await column(file, "step")).toEqual([4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5]);
  expect(await column(file, "slot")).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
  expect((await loadRoutingTable(file)).sequenceStarts.length - 1).toBe(12);
  await file.close();
  const other = folder.write(
    "toy_b6__004_017.npz",
    npz({ data: npy(Uint8Array.from(recording(9, 6, 1, 16, 2)), [6, 2]) }),
  );
  await expect(open([paths[0]!, other], { experts: 16 })).rejects.toThrow(/import each layer by itself/);
});

// --- router-hook log

/** Lines of a hook that skips some rows: the counter of that layer then falls behind. */
function hookLines(problems: readonly number[], tokens: number, skipped: (problem: number, layer: number) => number) {
  const draw = draws(11);
  const lines: {
    layer: number;
    problem_id: number;
    token_idx: number;
    experts: number[];
    dataset: string;
    gating_probs: number[];
  }[] = [];
  for (const layer of [0, 1, 2])
    for (const problem of problems)
      for (let token = 0; token < tokens - skipped(problem, layer); token++)
        lines.push({
          dataset: "toy",
          problem_id: problem,
          layer,
          experts: distinctIds(draw, 8, 2),
          gating_probs: [0.6, 0.4],
          token_idx: token,
        });
  return lines;
}
const jsonLines = (lines: readonly object[], end = "\n") => lines.map((line) => JSON.stringify(line)).join(end);

test("a hook log becomes one sequence per problem; rows a layer skipped are absent at its end", async () => {
  const lines = hookLines([7, 3], 20, (problem, layer) => (problem === 3 && layer === 1 ? 2 : 0));
  const path = folder.write("toy_routing.jsonl.gz", gzipSync(jsonLines(lines, "\r\n")));
  const { file, format, warnings } = await open([path], { experts: 8 });
  expect(format).toBe("problem-log");
  expect(file.rows).toBe(40);
  expect(file.header).toMatchObject({ domains: ["toy"], layers: [0, 1, 2] });
  expect(file.header.provenance.files).toMatchObject([{ name: "toy_routing.jsonl.gz" }]);
  expect(warnings.join("\n")).toContain("2 of 120 layer rows are missing");
  expect(await column(file, "sequence")).toEqual([...Array(20).fill(0), ...Array(20).fill(1)]);
  const middle = await layer(file, 1);
  expect(middle.slice(-4)).toEqual([255, 255, 255, 255]);
  const recorded = lines.filter(({ layer }) => layer === 1).flatMap(({ experts }) => experts);
  expect(middle.slice(0, -4)).toEqual(recorded);
  expect((await file.readWeights(2, 0, 1))[0]).toBeCloseTo(0.6);
  expect((await loadRoutingTable(file)).rows).toBe(38);
  expect((await loadRoutingTable(file, { layers: [0, 2] })).rows).toBe(40);
  await file.close();
});

test("a hook log that was split into files, or whose lines are in another order, gives the same table", async () => {
  const lines = hookLines([1, 2], 12, () => 0);
  const whole = await open([folder.write("whole.jsonl", jsonLines(lines))], { experts: 8 });
  const expected = await loadRoutingTable(whole.file);
  await whole.file.close();
  const cut = [
    folder.write("p1.jsonl", jsonLines(lines.slice(0, 30))),
    folder.write("p2.jsonl", jsonLines(lines.slice(30))),
  ];
  const byToken = [...lines].sort(
    (a, b) => a.problem_id - b.problem_id || a.token_idx - b.token_idx || a.layer - b.layer,
  );
  for (const paths of [cut, [folder.write("sorted.jsonl", `${jsonLines(byToken)}\n`)]]) {
    const { file } = await open(paths, { experts: 8 });
    expect({ ...(await loadRoutingTable(file)), origin: null }).toEqual({ ...expected, origin: null });
    await file.close();
  }
});

test("a wrong line of a log is named by file and line", async () => {
  const lines = hookLines([1], 4, () => 0);
  const broken = (change: object, at = 5) =>
    open(
      [folder.write("broken.jsonl", jsonLines(lines.map((line, i) => (i === at ? { ...line, ...change } : line))))],
      { experts: 8 },
    );
  for (const change of [
    { experts: [1, 1] },
    { experts: [1, "2"] },
    { experts: [1, 2, 3] },
    { token_idx: -1 },
    { gating_probs: [1] },
    { token_idx: 0 },
  ])
    await expect(broken(change), JSON.stringify(change)).rejects.toThrow(/broken\.jsonl:6/);
  await expect(broken({ token_idx: 4e9 }, 3)).rejects.toThrow(/at least half/);
  const raw = (text: string) => open([folder.write("raw.jsonl", `${jsonLines(lines)}\n${text}\n`)], { experts: 8 });
  await expect(raw('{"layer": 1e999}')).rejects.toThrow(/raw\.jsonl:13/);
  await expect(raw('{"__proto__": {"a": 1}}')).rejects.toThrow(/raw\.jsonl:13/);
  await expect(raw("{")).rejects.toThrow(/raw\.jsonl:13/);
});

// --- step log

/** Steps of a logger: warm-up steps of one dummy token, then real ones; the dummies of layer 5 come in two orders. */
function stepLines(layerNumber: number, sizes: readonly number[], warmUp: readonly number[]) {
  const draw = draws(layerNumber + 100);
  const row = (token: number, ids: number[], weights: number[]) => ({
    type: "route",
    req_id: "r1",
    token_idx: token,
    layer: layerNumber,
    topk_ids: ids,
    topk_weights: weights,
  });
  const dummies = warmUp.flatMap((size, phase) =>
    Array.from({ length: size }, (_value, token) =>
      layerNumber === 5 && phase === 1
        ? row(token, [4, 9], [0.2 + phase / 100, 0.3])
        : row(token, [9, 4], [0.3, 0.2 + phase / 100]),
    ),
  );
  const real = sizes.flatMap((size) =>
    Array.from({ length: size }, (_value, token) =>
      row(token, distinctIds(draw, 16, 2), [draw(1000) / 1000, draw(1000) / 1000]),
    ),
  );
  const meta = {
    type: "meta",
    model_id: "toy/model",
    vllm_version: "0.1",
    torch_version: "2.0",
    created_at: 1.5,
    top_k: 2,
    seed: 1,
  };
  return { lines: [meta, ...dummies, ...real], real };
}

test("a step log joins its layers row by row, drops warm-up steps and follows the slots of decode steps", async () => {
  const sizes = [6, 9, 3, 3, 3, 2, 2];
  const logs = [0, 5].map((number) => stepLines(number, sizes, [64, 40]));
  const paths = logs.map(({ lines }, i) => folder.write(`moe_layer${i}.jsonl.gz`, gzipSync(jsonLines(lines))));
  const { file, format, warnings } = await open(paths, { experts: 16 });
  expect(format).toBe("step-log");
  expect(file.header).toMatchObject({ model: "toy/model", layers: [0, 5], topK: 2 });
  expect(file.header.provenance).toMatchObject({
    droppedRows: 104,
    source: "vLLM logger 0.1",
    versions: { vllm: "0.1", torch: "2.0" },
  });
  expect(file.header.provenance.grouping).toContain("rows carry no request id");
  expect(warnings).toContain("104 warm-up rows were dropped, 28 are kept");
  expect(await column(file, "step")).toEqual(sizes.flatMap((size, step) => Array(size).fill(step)));
  expect(await column(file, "slot")).toEqual(sizes.flatMap((size) => [...Array(size).keys()]));
  for (const [i, { real }] of logs.entries()) {
    expect(await layer(file, i)).toEqual(real.flatMap(({ topk_ids }) => topk_ids));
    expect([...(await file.readWeights(i, 0, 2))]).toEqual([
      ...Float32Array.from(real.slice(0, 2).flatMap(({ topk_weights }) => topk_weights)),
    ]);
  }
  // Median step: 3 rows, so 9 is a prefill; 6 is not more than twice the median.
  const table = await loadRoutingTable(file);
  const lengths = Array.from(table.sequenceStarts.subarray(1), (end, i) => end - table.sequenceStarts[i]!);
  expect(lengths).toEqual([...Array(6).fill(1), 9, 3, 3, 3, 2, 2]);
  await file.close();
});

test("files of different runs are not joined", async () => {
  const a = folder.write("a.jsonl", jsonLines(stepLines(0, [3, 3], []).lines));
  const b = folder.write("b.jsonl", jsonLines(stepLines(1, [3, 2], []).lines));
  await expect(open([a, b], { experts: 16 })).rejects.toThrow(/cannot be joined/);
});

// --- TensorRT-LLM statistics

function rankFile(tensors: Readonly<Record<string, { shape: number[]; values: readonly number[] }>>): Uint8Array {
  const header: Record<string, unknown> = {};
  const all: number[] = [];
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: "I32", shape, data_offsets: [all.length * 4, (all.length + values.length) * 4] };
    for (const value of values) all.push(value);
  }
  return safetensors(header, new Uint8Array(Int32Array.from(all).buffer));
}

test("TensorRT-LLM ids become steps of tokens; a rank that repeats another is taken once", async () => {
  const ids = (seed: number, tokens: number) => ({ shape: [tokens, 2], values: recording(seed, tokens, 1, 8, 2) });
  const tensors = { "100_3": ids(1, 2), "100_4": ids(2, 2), "101_3": ids(3, 2), "101_4": ids(4, 2) };
  const paths = [
    folder.write("meta_info.json", JSON.stringify({ num_experts: 8, num_experts_per_token: 2 })),
    folder.write("rank0_raw.safetensors", rankFile(tensors)),
    folder.write("rank1_raw.safetensors", rankFile(tensors)),
  ];
  const { file, format, warnings } = await open(paths);
  expect(format).toBe("tensorrt-llm");
  expect(warnings.join("\n")).toContain("repeats the routing of an earlier rank");
  expect(file.header).toMatchObject({ experts: 8, topK: 2, layers: [3, 4] });
  expect(await column(file, "step")).toEqual([100, 100, 101, 101]);
  expect(await column(file, "sequence")).toEqual([0, 1, 0, 1]);
  expect(await layer(file, 1)).toEqual([...tensors["100_4"].values, ...tensors["101_4"].values]);
  await file.close();
});

test("TensorRT-LLM counts of several ranks are added up per iteration", async () => {
  const counts = (...values: number[]) => ({ shape: [4], values });
  const paths = [
    folder.write("meta_info.json", JSON.stringify({ num_experts: 4, num_experts_per_token: 2 })),
    folder.write("rank0.safetensors", rankFile({ "7_0": counts(1, 2, 3, 4), "8_0": counts(0, 0, 0, 6) })),
    folder.write("rank1.safetensors", rankFile({ "7_0": counts(10, 0, 0, 0), "8_0": counts(1, 1, 1, 1) })),
  ];
  const { file } = await open(paths);
  const table = await loadCountsTable(file);
  expect(table).toMatchObject({ steps: 2, layers: 1, experts: 4, topK: 2 });
  expect([...table.counts]).toEqual([11, 2, 3, 4, 1, 1, 1, 7]);
  expect(await column(file, "step")).toEqual([7, 8]);
  await file.close();
});

// --- counts

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

// --- llama.cpp

test("llama.cpp selections are tokens when top-k is stated; a last layer with fewer rows is aligned to the end", async () => {
  const prefill = ["1,0", "1,3", "1,2", "1,1", "1,4", "1,5", "2,6", "2,7"];
  const decode = ["1,5", "1,2", "2,0", "2,1"];
  const path = folder.write("moe_trace.csv", `${[...prefill, ...decode].join("\n")}\n`);
  const { file, format, warnings } = await open([path], { topK: 2, experts: 8 });
  expect(format).toBe("llama-cpp");
  expect(warnings.join()).toContain("2 rows are marked absent");
  expect(await column(file, "phase")).toEqual([1, 1, 1, 2]);
  expect(await column(file, "step")).toEqual([0, 0, 0, 1]);
  expect(await layer(file, 0)).toEqual([0, 3, 2, 1, 4, 5, 5, 2]);
  expect(await layer(file, 1)).toEqual([255, 255, 255, 255, 6, 7, 0, 1]);
  expect((await loadRoutingTable(file)).rows).toBe(2);
  expect((await loadRoutingTable(file, { layers: [0] })).rows).toBe(4);
  await file.close();

  const counts = await open([path]);
  expect(counts.warnings.join()).toContain("only counts are imported");
  expect((await loadCountsTable(counts.file)).counts.reduce((sum, count) => sum + count)).toBe(12);
  await counts.file.close();
  await expect(open([path], { topK: 4, experts: 8 })).rejects.toThrow(/multiple of 4/);
});

// --- detection

test("a trace container is not mistaken for a recording", async () => {
  const csv = folder.write("again.csv", "layer_id,expert_id,count\n0,1,5\n");
  const { file } = await open([csv], { experts: 4 });
  await file.close();
  await expect(importAndOpen(folder.path("twice.safetensors"), [folder.path("imported.safetensors")])).rejects.toThrow(
    /routing in one of the formats/,
  );
});

test("a folder is imported without the files in it that are something else", async () => {
  const mixed = temporaryFolder();
  const notes = mixed.write("SOURCE.md", "# notes\n");
  const recorded = mixed.write("counts.csv", "layer_id,expert_id,count\n0,0,3\n0,1,5\n");
  const output = folder.path("mixed.safetensors");
  const report = await importTrace("auto", [dirname(recorded)], output, { topK: 1 });
  expect(report.format).toBe("expert-distribution");
  expect(report.warnings.join()).toContain("SOURCE.md");
  await expect(importTrace("auto", [notes], output)).rejects.toThrow(/routing in one of the formats/);
});

test("an unknown file is refused with the formats that are known", async () => {
  await expect(open([folder.write("notes.txt", "hello\nworld\n")])).rejects.toThrow(/routed-experts/);
  await expect(open([folder.path("missing.npz")])).rejects.toThrow(InvalidInputError);
});
