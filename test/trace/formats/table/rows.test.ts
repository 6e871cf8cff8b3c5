import { expect, test } from "vitest";
import type { ImportOptions } from "../../../../src/trace/formats/importer.ts";
import { loadRoutingTable } from "../../../../src/trace/load-routing.ts";
import { distinctIds, draws, temporaryFolder } from "../../routing-files.ts";
import { column, layer, openedIn } from "../opened.ts";
import { mapOf } from "./written-tables.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

type Row = readonly (number | string)[];
const csv = (header: string, rows: readonly Row[]) => `${header}\n${rows.map((row) => row.join(",")).join("\n")}\n`;
const draw = draws(5);
const ids = (topK = 2) => distinctIds(draw, 16, topK).join(" ");
const range = (count: number) => Array.from({ length: count }, (_value, i) => i);

/** Imports text under a name; what came of it, or the message. */
async function read(text: string, options: ImportOptions & { readonly columns?: string } = {}, name = "t.csv") {
  const { columns, ...rest } = options;
  const map = columns === undefined ? {} : { map: mapOf(columns) };
  const opened = await open([folder.write(name, text)], { experts: 16, ...rest, ...map });
  const { file, warnings } = opened;
  const all = {
    rows: file.rows,
    header: file.header,
    warnings: warnings.join("\n"),
    sequence: await column(file, "sequence"),
    position: await column(file, "position"),
    step: file.columns.includes("step") ? await column(file, "step") : null,
    phase: file.columns.includes("phase") ? await column(file, "phase") : null,
    slot: file.columns.includes("slot") ? await column(file, "slot") : null,
    ids: await Promise.all(file.header.layers.map((_layer, index) => layer(file, index))),
    weights: file.hasWeights ? [...(await file.readWeights(0, 0, file.rows))] : null,
    replayed: await loadRoutingTable(file).then((table) => table.rows),
  };
  await file.close();
  return all;
}
const refusal = (text: string, options: ImportOptions & { readonly columns?: string } = {}, name = "t.csv") =>
  read(text, options, name).then(
    () => "imported",
    (error: unknown) => (error as Error).message.replaceAll(`${folder.path("")}/`, ""),
  );

test("columns known by their names need no map, whatever their order", async () => {
  const { ids, header, warnings } = await read(
    "layer,token,expert\n0,0,3\n0,0,1\n2,0,5\n2,0,0\n0,1,7\n0,1,2\n2,1,4\n2,1,6\n",
  );
  expect(ids).toEqual([
    [3, 1, 7, 2],
    [5, 0, 4, 6],
  ]);
  expect(header).toMatchObject({ layers: [0, 2], topK: 2 });
  expect(warnings).toContain("--map 'token=token,layer=layer,experts=expert'");
  const lines = [0, 1].flatMap((token) =>
    [0, 2].map((layer) => JSON.stringify({ layer, token, selected_ids: [token, layer + 3] })),
  );
  expect((await read(lines.join("\n"), {}, "t.jsonl")).ids).toEqual([
    [0, 3, 1, 3],
    [0, 5, 1, 5],
  ]);
});

test("a column of unknown meaning is no column to pass over: the refusal shows a map to begin with", async () => {
  expect(await refusal("token,layer,experts,mystery\n0,0,1 2,9\n")).toMatch(
    /found "token, layer, experts, mystery" \(if it is right: --format table --map 'token=token,layer=layer,experts=experts'\)/,
  );
  expect(await refusal("tick;depth;experts\n0;0;1,2\n")).toContain(
    "fill in: --format table --map 'token=?,layer=?,experts=experts'",
  );
  expect(await refusal("0,0,1 2\n0,1,3 4\n")).toContain("such as: --format table --map 'token=#1,layer=#2,experts=#3'");
  const nested = { id: 1, meta: { routing: [[[1, 2]], [[3, 4]]] } };
  expect(await refusal(JSON.stringify([{ ...nested, experts: nested.meta.routing, why: 1 }]), {}, "t.json")).toContain(
    "experts=experts[token][layer]",
  );
});

test("lists of lists of lists are taken by name alone where the name settles what is outside", async () => {
  const record = (name: string) => JSON.stringify({ request_id: 1, [name]: [[[1, 2]], [[3, 4]]] });
  expect((await read(record("routed_experts"), {}, "t.jsonl")).rows).toBe(2);
  expect(await refusal(record("router_indices"), {}, "t.jsonl")).toContain(
    "router_indices[token][layer],request=request_id'; or [layer][token]",
  );
  const columns = "request=request_id,experts=router_indices[layer][token]";
  const { rows, header, ids } = await read(record("router_indices"), { columns }, "t.jsonl");
  expect([rows, header.layers, ids]).toEqual([
    1,
    [0, 1],
    [
      [1, 2],
      [3, 4],
    ],
  ]);
});

test("columns that are not there are named with those that are", async () => {
  const message = await refusal("tokens,layer,experts\n0,0,1 2\n", { columns: "token=token,layer=layer,experts=ids" });
  expect(message.split("\n")).toEqual([
    't.csv: expected a column "token", found "tokens, layer, experts" (did you mean tokens?)',
    't.csv: expected a column "ids", found "tokens, layer, experts"',
  ]);
  expect(await refusal("0,0,1\n", { columns: "token=#1,layer=#2,experts=#4" })).toContain("a column #4 (there are 3)");
});

test("rows that are missing are absent, counted and told with their place", async () => {
  const rows = range(20).flatMap((token) =>
    [3, 7].filter((layer) => token !== 5 || layer !== 7).map((layer) => [token, layer, ids()]),
  );
  const { rows: count, ids: read1, replayed, warnings } = await read(csv("token,layer,experts", rows));
  expect([count, replayed]).toEqual([20, 19]);
  expect(read1[1]!.slice(10, 12)).toEqual([255, 255]);
  expect(warnings).toContain("1 of 40 rows of a token and layer are missing");
  expect(warnings).toContain("layer 7 has 19 of 20 tokens");
  expect(warnings).not.toContain("misaligned");
});

test("rows that are missing at the ends of layers alone look like those of a counter", async () => {
  const rows = [0, 1].flatMap((layer) => range(layer === 0 ? 20 : 18).map((token) => [token, layer, ids()]));
  expect((await read(csv("token,layer,experts", rows))).warnings).toContain("layers are misaligned");
});

test("a table that lacks more than half of its rows is refused", async () => {
  const rows = [0, 1, 2].flatMap((layer) => range(layer === 0 ? 20 : 2).map((token) => [token, layer, ids()]));
  expect(await refusal(csv("token,layer,experts", rows))).toContain('found "24 of 60; layer 1 has 2 of 20 tokens"');
});

test("the same token twice in a layer is refused with its line, in whatever order", async () => {
  const twice = [0, 1, 2, 3, 2, 4].flatMap((token) => [0, 1].map((layer) => [token, layer, ids()]));
  expect(await refusal(csv("token,layer,experts", twice))).toMatch(/^t\.csv:10: layer 0: .*token 2 again/);
  // One is missing too, so that the numbers of rows agree.
  const hidden = [0, 3, 1, 1, 4].map((token) => [token, 0, ids()]).concat(range(5).map((token) => [token, 1, ids()]));
  expect(await refusal(csv("token,layer,experts", hidden))).toMatch(/^t\.csv:5: layer 0: .*token 1 again/);
});

test("without requests and steps, numbers that begin anew begin a step, or a sequence where tokens come whole", async () => {
  const steps = [30, 1, 1, 1].flatMap((size) =>
    [0, 1].flatMap((layer) => range(size).map((token) => [token, layer, ids()])),
  );
  const byStep = await read(csv("token,layer,experts", steps));
  expect(byStep.sequence).toEqual([...Array(30).fill(0), 1, 1, 1]);
  expect(byStep.phase).toEqual([...Array(30).fill(1), 2, 2, 2]);
  expect(byStep.step?.slice(29)).toEqual([0, 1, 2, 3]);
  expect(byStep.warnings).toContain("how rows of steps become sequences is a guess");

  const texts = [5, 5].flatMap((size) => range(size).flatMap((token) => [0, 1].map((layer) => [token, layer, ids()])));
  const byText = await read(csv("token,layer,experts", texts));
  expect(byText.sequence).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  expect(byText.position).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  expect(byText.phase).toBeNull();
});

test("without requests, positions that begin anew begin a sequence", async () => {
  const rows = [4, 4].flatMap((size) =>
    [0, 1].flatMap((layer) => range(size).map((position) => [position, layer, ids()])),
  );
  const { sequence, position } = await read(csv("position,layer,experts", rows));
  expect([sequence, position]).toEqual([
    [0, 0, 0, 0, 1, 1, 1, 1],
    [0, 1, 2, 3, 0, 1, 2, 3],
  ]);
});

test("token numbers may be those of the request, of a step of it, or run on over all", async () => {
  const own = ["a", "b"].flatMap((request) => range(3).map((token) => [request, token, 0, ids()]));
  const running = range(6).map((token) => [token % 2 === 0 ? "a" : "b", token + 100, 0, ids()]);
  for (const rows of [own, running]) {
    const read1 = await read(csv("request,token,layer,experts", rows));
    expect(read1.sequence).toEqual([0, 0, 0, 1, 1, 1]);
    expect(read1.position).toEqual([0, 1, 2, 0, 1, 2]);
  }
  // Positions of decoded tokens begin after the prompt, alike in every request.
  const decoded = ["a", "b"].flatMap((request) => [10, 11].map((token) => [request, token, 0, ids()]));
  expect((await read(csv("request,token,layer,experts", decoded))).position).toEqual([10, 11, 10, 11]);

  const steps = [3, 1, 1].flatMap((size, step) =>
    ["a", "b"].flatMap((request) => range(size).map((token) => [request, step + 7, token, 0, ids()])),
  );
  const inSteps = await read(csv("request,step,token,layer,experts", steps));
  expect(inSteps.sequence).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  expect(inSteps.position).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  expect(inSteps.step).toEqual([7, 7, 7, 8, 9, 7, 7, 7, 8, 9]);
});

test("steps without requests whose tokens run on are rows in order; whose tokens begin anew, batches", async () => {
  const sizes = [4, 4, 4];
  const batches = sizes.flatMap((size, step) => range(size).map((token) => [step, token, 0, ids()]));
  const inSlots = await read(csv("step,token,layer,experts", batches));
  expect(inSlots.sequence).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
  expect(inSlots.slot).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
  const running = batches.map(([step, , layer, chosen], i) => [step!, i, layer!, chosen!]);
  expect((await read(csv("step,token,layer,experts", running))).sequence).toEqual(Array(12).fill(0));
});

test("without a column for tokens rows are counted layer by layer; a row for each expert needs their number", async () => {
  const rows = range(6).flatMap((token) => [0, 1].map((layer) => [layer, token % 16, 15 - token]));
  const columns = "layer=layer,experts=a+b";
  expect((await read(csv("layer,a,b", rows), { columns })).ids[0]).toEqual([0, 15, 1, 14, 2, 13, 3, 12, 4, 11, 5, 10]);
  const single = rows.flatMap(([layer, a, b]) => [
    [layer!, a!],
    [layer!, b!],
  ]);
  expect(await refusal(csv("layer,x", single), { columns: "layer=layer,experts=x" })).toContain(
    "with --top-k every k rows",
  );
  expect((await read(csv("layer,x", single), { columns: "layer=layer,experts=x", topK: 2 })).rows).toBe(6);
  expect((await read(csv("layer,x", single), { columns: "layer=layer,experts=x", topK: 1 })).rows).toBe(12);
});

test("files of different layers are one recording, files of the same layers are several", async () => {
  const rows = (layers: readonly number[]) =>
    csv(
      "token,layer,experts",
      range(4).flatMap((token) => layers.map((layer) => [token, layer, ids()])),
    );
  const paths = (texts: readonly string[]) => texts.map((text, i) => folder.write(`part_${i}.csv`, text));
  const byLayer = await open(paths([rows([0]), rows([5])]), { experts: 16 });
  expect([byLayer.file.rows, byLayer.file.header.layers]).toEqual([4, [0, 5]]);
  await byLayer.file.close();
  const byText = await open(paths([rows([0, 5]), rows([0, 5])]), { experts: 16 });
  expect(await column(byText.file, "sequence")).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  await byText.file.close();
});

test("requests of one name in several files are parts of one, unless their tokens come again", async () => {
  const rows = (from: number) =>
    csv(
      "request,token,layer,experts",
      range(3).map((token) => ["r", token + from, 0, ids()]),
    );
  const importBoth = async (second: number) => {
    const { file, warnings } = await open([folder.write("a.csv", rows(0)), folder.write("b.csv", rows(second))], {
      experts: 16,
    });
    const sequences = new Set(await column(file, "sequence")).size;
    await file.close();
    return { sequences, warnings: warnings.join() };
  };
  expect((await importBoth(3)).sequences).toBe(1);
  const again = await importBoth(0);
  expect(again.sequences).toBe(2);
  expect(again.warnings).toContain("taken for different ones");
});

test("weights that are not in order bring their experts into order", async () => {
  const {
    ids: [chosen],
    weights,
    warnings,
  } = await read("token,layer,experts,weights\n0,0,3 1 2,0.25 0.5 0.125\n1,0,4 5 6,0.5 0.25 0.125\n");
  expect(chosen).toEqual([1, 3, 2, 4, 5, 6]);
  expect(weights).toEqual([0.5, 0.25, 0.125, 0.5, 0.25, 0.125]);
  expect(warnings).toContain("experts of 1 rows were put in the order of their weights");
});

test("layers of -1 or of nothing but expert 0 are dense ones and left out, for top-1 too", async () => {
  const dense = (blank: string, topK: number) =>
    csv(
      "token,layer,experts",
      range(40).flatMap((token) => [0, 1, 2].map((layer) => [token, layer, layer === 1 ? blank : ids(topK)])),
    );
  for (const [blank, topK] of [
    ["-1 -1", 2],
    ["", 2],
    ["0 0", 2],
    ["0", 1],
  ] as const) {
    const { header, rows, warnings } = await read(dense(blank, topK));
    expect([header.layers, rows]).toEqual([[0, 2], 40]);
    if (blank.startsWith("0")) expect(warnings).toContain("layers 1 hold expert 0 alone");
  }
  const zeros = csv(
    "token,layer,experts",
    range(40).map((token) => [token, 0, "0 0"]),
  );
  expect(await refusal(zeros)).toContain("the capture failed");
  expect(await refusal("token,layer,experts\n0,0,1 2\n1,0,0 0\n")).toMatch(
    /^t\.csv:3: layer 0: .*expert 0 several times/,
  );
});

test("ids that cannot be, and ids that may be counted from 1", async () => {
  expect(await refusal("token,layer,experts\n0,0,1 2\n1,0,2 16\n")).toMatch(
    /^t\.csv:3: .*ids below 16, found 16 \(ids may be counted from 1/,
  );
  expect(await refusal("token,layer,experts\n0,0,1 1\n")).toMatch(/^t\.csv:2: experts: expected different experts/);
  const fromOne = range(400).map((token) => [
    token,
    0,
    distinctIds(draw, 16, 2)
      .map((id) => id + 1)
      .join(" "),
  ]);
  const { file, warnings } = await open([folder.write("one.csv", csv("token,layer,experts", fromOne))]);
  expect(file.header.experts).toBe(17);
  await file.close();
  expect(warnings.join()).toContain("ids may be counted from 1, which makes one expert too many");
});

test("warm-up rows are dropped, in requests and over steps", async () => {
  const rows = range(150).flatMap((token) => [0, 1].map((layer) => [token, layer, token < 100 ? "3 4" : ids()]));
  const { rows: kept, header, position } = await read(csv("token,layer,experts", rows));
  expect([kept, header.provenance.droppedRows, position[0]]).toEqual([50, 100, 100]);
  const capture = [64, 32, 16, 8].flatMap((size) => range(size).map((token) => [token, 0, "3 4"]));
  const serving = range(3).map(() => [0, 0, ids()]);
  expect((await read(csv("token,layer,experts", [...capture, ...serving]))).rows).toBe(3);
});

test("what a row says of its token is the same in every layer", async () => {
  const rows = range(6).flatMap((token) => [0, 1].map((layer) => [token * 2 + layer, token, layer, ids()]));
  expect(
    await refusal(csv("n,token,layer,experts", rows), { columns: "token=token,layer=layer,experts=experts,step=n" }),
  ).toContain("the same phase, step, position and vocabulary id of a token in all layers");
});

test.each([
  ["hexadecimal", "0,0,0x1 2"],
  ["an exponent", "0,0,1e3 2"],
  ["a fraction", "0,0,1.5 2"],
  ["below -1", "0,0,-5 2"],
  ["beyond any model", "0,0,70000 2"],
  ["another kind of expert", "0,0,expert_1 shared_2"],
  ["no layer", "0,attention,1 2"],
  ["no token", "x,0,1 2"],
  ["a cell too many", "0,0,1 2,3"],
  ["an open quote", '0,0,"1 2'],
  ["a word", "0,0,yes no"],
])("%s is refused with its line", async (_name, row) => {
  expect(await refusal(`token,layer,experts\n5,0,1 2\n${row}\n`)).toMatch(/^t\.csv:3: /);
});

test("several wrong rows are told at once", async () => {
  const message = await refusal("token,layer,experts,phase\n0,0,1 x,prefill\n1,0,1 2,verify\n2,z,1 2,decode\n");
  expect(message.split("\n").map((line) => line.slice(0, 8))).toEqual(["t.csv:2:", "t.csv:3:", "t.csv:4:"]);
});

test.each([
  ["empty.csv", "", "an empty file"],
  ["header.csv", "token,layer,experts\n", "rows below the header"],
  ["binary.csv", "token,layer\u0000,experts\n0,0,1\n", "a table as text"],
  ["cut.json", '[{"token":0,"layer":0,"experts":[1,2]},{"token":1', "JSON that is complete"],
  ["commas.json", '[{"token":0,"layer":0,"experts":[1,2]},,{"token":1}]', "a value before the comma"],
  ["after.json", '[\n{"token":0,"layer":0,"experts":[1,2]}]\n{}', "nothing after the end of the list"],
  ["wide.csv", `${"a,".repeat(70_000)}a\n`, "at most 65536 columns"],
])("%s is refused for what it is", async (name, text, expected) => {
  expect(await refusal(text, {}, name)).toContain(expected);
});

test("records without any of the columns are left out and counted; a map that fits none is refused", async () => {
  const lines = [
    '{"meta":"vLLM"}',
    '{"token":0,"layer":0,"ids":[1,2]}',
    '{"token":1,"layer":0,"ids":[-1,-1]}',
    '{"token":2,"layer":0,"ids":[3,4]}',
  ].join("\n");
  const columns = "token=token,layer=layer,experts=ids";
  const { rows, warnings } = await read(lines, { columns }, "t.jsonl");
  expect(rows).toBe(2);
  expect(warnings).toContain("1 records have none of the columns, the first in line 1 of t.jsonl");
  expect(warnings).toContain("1 rows or places hold no expert");
  expect(await refusal(lines, { columns: "token=tok,layer=lay,experts=exp" }, "t.jsonl")).toContain(
    "check the columns",
  );
  // A row that lacks one field alone is wrong.
  expect(await refusal(lines, { columns: "token=token,layer=lay,experts=ids" }, "t.jsonl")).toMatch(
    /^t\.jsonl:2: layer: /,
  );
  expect(await refusal(lines, { columns: "token=tok,layer=layer,experts=ids" }, "t.jsonl")).toMatch(
    /^t\.jsonl:2: token: /,
  );
});

test("names that JSON would round, or that joining would make equal, stay apart", async () => {
  const of = (id: string) => `{"req":${id},"token":0,"layer":0,"experts":[1,2]}`;
  const columns = "request=req,token=token,layer=layer,experts=experts";
  expect(
    await refusal([of("12345678901234567890"), of("12345678901234567891")].join("\n"), { columns }, "t.jsonl"),
  ).toContain("a number below 2^53");
  expect(
    (await read([of('"12345678901234567890"'), of('"12345678901234567891"')].join("\n"), { columns }, "t.jsonl"))
      .sequence,
  ).toEqual([0, 1]);
  const pairs = csv("a,b,token,layer,experts", [
    ["x y", "z", 0, 0, "1 2"],
    ["x", "y z", 0, 0, "3 4"],
  ]);
  expect((await read(pairs, { columns: "request=a+b,token=token,layer=layer,experts=experts" })).sequence).toEqual([
    0, 1,
  ]);
});

test("lists that stand side by side are equally long", async () => {
  const record = { ids: [[[1, 2]], [[3, 4]]], w: [[[1, 0.5]]], pos: [0, 1, 2] };
  const beside = (extra: string) =>
    refusal(JSON.stringify(record), { columns: `experts=ids[token][layer],${extra}` }, "t.json");
  expect(await beside("weights=w[][]")).toMatch(/^t\.json:1: weights: expected 2 weights/);
  expect(await beside("position=pos[]")).toMatch(/^t\.json:1: position: expected lists as long/);
  expect(await beside("request=pos[]")).toMatch(/^t\.json:1: request: /);
});

test("a pass that a layer lacks would shift all that follow, and is refused", async () => {
  const rows = range(6).flatMap((step) =>
    [0, 1].filter((layer) => step !== 2 || layer === 0).map((layer) => [0, layer, ids()]),
  );
  expect(await refusal(csv("token,layer,experts", rows))).toContain(
    "as many tokens in every layer each time their numbers begin anew",
  );
});

test("layers that are numbered among those with experts get the numbers of the model", async () => {
  const text = "token,layer,experts\n0,0,1 2\n0,1,3 4\n";
  expect((await read(text, { modelLayers: [3, 7] })).header.layers).toEqual([3, 7]);
  expect(await refusal(text, { modelLayers: [3] })).toContain("2 ascending layers of the model");
});

test("what --top-k says is held against the rows", async () => {
  expect(await refusal("token,layer,experts\n0,0,1 2\n", { topK: 4 })).toContain("4 experts in the fullest rows");
});

test("JSON in a cell is entered; what is none is refused", async () => {
  const columns = "token=token,experts=routing[layer]";
  const cell = (text: string) => `token,routing\n0,"${text.replaceAll('"', '""')}"\n`;
  for (const text of [
    "[[1,2],[3,4]]",
    "[(1, 2), (3, 4)]",
    '{"0":[1,2],"1":[3,4]}',
    "{'layer.0': [1, 2], 'layer.1': [3, 4]}",
  ])
    expect((await read(cell(text), { columns })).ids).toEqual([
      [1, 2],
      [3, 4],
    ]);
  expect(await refusal(cell("[[1,2],[3"), { columns })).toMatch(/^t\.csv:2: experts: expected lists/);
});

test("empty rows below a table are none, and a folder may hold other files", async () => {
  expect((await read("token,layer,experts\n0,0,1 2\n,,\n\n")).rows).toBe(1);
  const { mkdirSync, writeFileSync } = await import("node:fs");
  const inner = folder.path("inner");
  mkdirSync(inner);
  writeFileSync(`${inner}/a.csv`, "tok,lay,ids\n0,0,1 2\n");
  writeFileSync(`${inner}/meta.json`, '{"model":"m"}');
  writeFileSync(`${inner}/notes.csv`, "a,b\n1,2\n");
  const { file, warnings } = await open([inner], { experts: 16, map: mapOf("token=tok,layer=lay,experts=ids") });
  expect(file.rows).toBe(1);
  await file.close();
  expect(warnings.join()).toContain("left out, not in this format: meta.json, notes.csv");
});

test("ids of a vocabulary, text and an index of lines are not taken for numbers of tokens", async () => {
  const vocabulary = [900, 17, 4_512, 388, 2_020, 61];
  const rows = vocabulary.flatMap((word, token) =>
    [0, 1].map((layer) => [word, token, layer, `${token} ${token + 7}`]),
  );
  const bare = rows.map(([word, _token, ...rest]) => [word, ...rest] as Row);
  const message = await refusal(csv("token,layer,experts", bare));
  expect(message).toMatch(/token: expected numbers of tokens, found "6 numbers from 17 to 4512, in no order"/);
  expect(message).toMatch(/vocabulary: with --map, leave token out where the rows of a layer are in order/);
  const both = csv("token,position,layer,experts", rows as Row[]);
  expect(await refusal(both)).toMatch(/leave token out, as position numbers tokens/);
  const inOrder = [0, 7, 1, 8, 2, 9, 3, 10, 4, 11, 5, 12];
  const named = await read(both, { columns: "position=position,layer=layer,experts=experts" });
  expect(named.ids[1]).toEqual(inOrder);
  const stated = await read(csv("token,layer,experts", bare), { columns: "token=token,layer=layer,experts=experts" });
  expect(stated.warnings).toMatch(/6 numbers from 17 to 4512, in no order\): they may be ids of a vocabulary/);
  const again = bare.map(([word, ...rest]) => [word === 388 ? 900 : word!, ...rest] as Row);
  expect(
    await refusal(csv("token,layer,experts", again), { columns: "token=token,layer=layer,experts=experts" }),
  ).toMatch(/does not number tokens: map it as tokenId/);

  const text = rows.map(([word, ...rest]) => [`w${word}`, ...rest] as Row);
  const words = await read(csv("token,position,layer,experts", text));
  expect(words.ids[1]).toEqual(inOrder);
  expect(words.warnings).toContain("not read: token");
  const pandas = rows.map(([_word, ...rest], line) => [line, ...rest] as Row);
  expect((await read(csv(",position,layer,experts", pandas))).ids[0]).toEqual(inOrder);
  expect((await read(csv("Unnamed: 0,position,layer,experts", pandas))).position).toEqual(range(6));
  // A log that samples tokens, or is shuffled, numbers them all the same.
  const sampled = bare.map((row, i) => [100 * Math.floor(i / 2), ...row.slice(1)] as Row);
  expect((await read(csv("token,layer,experts", sampled))).ids[1]).toEqual(inOrder);
  const shuffled = rows.map(([, ...rest]) => rest as Row).sort((a, b) => Number(b[0]) - Number(a[0]));
  expect((await read(csv("token,layer,experts", shuffled))).ids[1]).toEqual(inOrder);
});

test("an object with a list of tokens for each layer is known by the names of the layers", async () => {
  const byLayer = {
    layer_3: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    layer_10: [
      [7, 8],
      [9, 10],
      [11, 12],
    ],
  };
  const { ids, header, warnings } = await read(JSON.stringify(byLayer), {}, "hook.json");
  expect(ids).toEqual([
    [1, 2, 3, 4, 5, 6],
    [7, 8, 9, 10, 11, 12],
  ]);
  expect(header.layers).toEqual([3, 10]);
  expect(warnings).toContain("--map 'experts=layer_[layer][token]'");
});

test("shared experts that an engine fuses with the routed ones are left out of tables too", async () => {
  const rows = range(40).map((i) => [Math.floor(i / 2), i % 2, `${i % 7} ${7 + (i % 9)}`] as const);
  const fused = csv(
    "token,layer,experts",
    rows.map(([token, layer, own]) => [token, layer, `${own} 16`]),
  );
  const plain = await read(csv("token,layer,experts", rows as unknown as Row[]));
  const stated = await read(fused);
  expect(stated.ids).toEqual(plain.ids);
  expect(stated.header).toMatchObject({ experts: 16, topK: 2 });
  expect(stated.warnings).toMatch(/the last id of every row \(16\) is a shared expert .* left out/);
  const { experts: _none, ...alone } = { experts: 16, topK: 2 };
  const told = await open([folder.write("t.csv", fused)], alone);
  expect(told.file.header).toMatchObject({ experts: 16, topK: 2 });
  await told.file.close();
  const weighed = rows.map(([token, layer, own]) => [token, layer, `${own} ${16 + (token % 2)}`, "0.4 0.6 1"] as Row);
  const two = await read(csv("token,layer,experts,weights", weighed));
  expect(two.ids[0]!.slice(0, 2)).toEqual([7, 0]);
  expect(two.weights!.slice(0, 2)).toEqual([...Float32Array.of(0.6, 0.4)]);
  const some = csv(
    "token,layer,experts",
    rows.map(([token, layer, own], i) => [token, layer, i === 9 ? "16 3" : own]),
  );
  expect(await refusal(some)).toMatch(/t\.csv:11: experts: expected ids below 16, found 16/);
});
