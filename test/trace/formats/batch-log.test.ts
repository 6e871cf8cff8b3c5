import { expect, test } from "vitest";
import { distinctIds, draws, temporaryFolder } from "../routing-files.ts";
import { column, jsonLines, layer, openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

const draw = draws(31);
const batch = (rows: number) => Array.from({ length: rows }, () => distinctIds(draw, 32, 3));
const line = (layerNumber: number, id: number, ids: readonly (readonly number[])[], more: object = {}) => ({
  layer: layerNumber,
  batch_id: id,
  origin_rows: ids.map(() => 0),
  topk_experts: ids,
  ...more,
});
const write = (lines: readonly object[]) => folder.write("code_1.jsonl", jsonLines(lines));

test("layers of a batch are joined row by row, batches of one request follow one another", async () => {
  const [a, b, c] = [batch(4), batch(2), batch(3)];
  const [a5, b5, c5] = [batch(4), batch(2), batch(3)];
  const lines = [
    line(2, 7, a, { request_id: 1, topk_weights: a.map(() => [0.5, 0.25, 0.125]) }),
    line(5, 7, a5, { request_id: 1, topk_weights: a.map(() => [1, 2, 3]) }),
    line(2, 8, b, { request_id: 2, topk_weights: b.map(() => [1, 2, 3]) }),
    line(2, 9, c, { request_id: 1, topk_weights: c.map(() => [4, 5, 6]) }),
    line(5, 8, b5, { request_id: 2, topk_weights: b.map(() => [1, 2, 3]) }),
    line(5, 9, c5, { request_id: 1, topk_weights: c.map(() => [4, 5, 6]) }),
  ];
  const { file, format, warnings } = await open([write(lines)], { experts: 32 });
  expect(format).toBe("batch-log");
  expect(warnings).toEqual([]);
  expect(file.header).toMatchObject({ layers: [2, 5], topK: 3, domains: ["code"] });
  expect(await column(file, "sequence")).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1]);
  expect(await layer(file, 0)).toEqual([...a, ...c, ...b].flat());
  expect(await layer(file, 1)).toEqual([...a5, ...c5, ...b5].flat());
  expect([...(await file.readWeights(0, 3, 5))]).toEqual([0.5, 0.25, 0.125, 4, 5, 6]);
  await file.close();
});

test("a batch of requests that nobody names is one sequence, with a warning where its rows show none", async () => {
  const { file, warnings } = await open([write([line(0, 0, batch(200)), line(0, 1, batch(200))])], { experts: 32 });
  expect(new Set(await column(file, "sequence")).size).toBe(2);
  expect(warnings.join()).toContain("no request is named and neighbouring rows of a batch share");
  await file.close();
});

test("layers of a batch with other numbers of tokens, and wrong rows, are refused with their line", async () => {
  await expect(open([write([line(0, 0, batch(4)), line(1, 0, batch(3))])])).rejects.toThrow(
    /code_1\.jsonl:2: topk_experts: expected 4 tokens.*found 3/,
  );
  await expect(open([write([line(0, 0, [[1, 2, 2]])])])).rejects.toThrow(/code_1\.jsonl:1: expected different experts/);
  await expect(open([write([line(0, 0, batch(2), { topk_weights: [[1, 2, 3]] })])])).rejects.toThrow(
    /2 lists of numbers/,
  );
});
