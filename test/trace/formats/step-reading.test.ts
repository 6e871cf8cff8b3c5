import { expect, test } from "vitest";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { distinctIds, draws, temporaryFolder } from "../routing-files.ts";
import { jsonLines, openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

/** A text whose tokens keep `kept` of their 4 experts of 64 from one to the next. */
function text(seed: number, tokens: number, kept = 2): number[][] {
  const draw = draws(seed);
  let last = distinctIds(draw, 64, 4);
  return Array.from({ length: tokens }, () => {
    const own = last.slice(0, kept);
    while (own.length < 4) {
      const id = draw(64);
      if (!own.includes(id)) own.push(id);
    }
    last = own.sort(() => draw(3) - 1);
    return last;
  });
}

const route = (request: string, index: number, ids: readonly number[]) => ({
  type: "route",
  req_id: request,
  token_idx: index,
  layer: 0,
  topk_ids: ids,
});

/** Imports a log and gives its sequences as lists of rows, and what was said. */
async function imported(lines: readonly object[], options: ImportOptions = {}) {
  const path = folder.write("log.jsonl", jsonLines([{ type: "meta", num_experts: 64, top_k: 4 }, ...lines]));
  const { file, warnings } = await open([path], options);
  const table = await loadRoutingTable(file);
  const { grouping } = file.header.provenance;
  await file.close();
  const sequences: number[][][] = [];
  for (const [i, from] of [...table.sequenceStarts].slice(0, -1).entries()) {
    const rows: number[][] = [];
    for (let row = from; row < table.sequenceStarts[i + 1]!; row++)
      rows.push([...table.ids.subarray(row * 4, (row + 1) * 4)]);
    sequences.push(rows);
  }
  return { sequences, warnings: warnings.join("\n"), grouping };
}

test("an index that runs on over a text is its rows in order, not one step of as many requests", async () => {
  const rows = text(1, 900);
  const { sequences, warnings, grouping } = await imported(rows.map((ids, i) => route("r1", i, ids)));
  expect(sequences).toEqual([rows]);
  expect(warnings).toMatch(/^neighbouring rows share \d+(\.\d+)?% of their experts.*read as rows of a text in order$/);
  expect(grouping).toContain("rows are in order");
});

test("an index that begins again with each text is a sequence for each, though no step is twice the median", async () => {
  const texts = [300, 210, 260, 340].map((tokens, i) => text(i + 2, tokens));
  const { sequences } = await imported(texts.flatMap((rows) => rows.map((ids, i) => route("r1", i, ids))));
  expect(sequences).toEqual(texts);
});

/** Steps of `count` requests that decode, each at its place in the batch. */
const batch = (count: number, steps: number) => {
  const texts = Array.from({ length: count }, (_value, i) => text(i + 20, steps));
  return { texts, rows: Array.from({ length: steps }, (_value, step) => texts.map((rows) => rows[step]!)) };
};

test("steps of a batch that decodes follow their places, without a word", async () => {
  const { texts, rows } = batch(8, 60);
  const { sequences, warnings, grouping } = await imported(
    rows.flatMap((step) => step.map((ids, slot) => route("r1", slot, ids))),
  );
  expect(sequences).toEqual(texts);
  expect(warnings).toBe("");
  expect(grouping).toContain("each slot is one sequence");
});

test("an id for each step names no request, one for each request does", async () => {
  const { texts, rows } = batch(8, 60);
  const steps = rows.flatMap((step, s) => step.map((ids, slot) => route(`step-${s}`, slot, ids)));
  expect((await imported(steps)).sequences).toEqual(texts);
  const requests = rows.flatMap((step) => step.map((ids, slot) => route(`request-${slot}`, slot, ids)));
  const named = await imported(requests);
  expect(named.sequences).toEqual(texts);
  expect(named.grouping).toContain("req_id names the request");
  // Positions in the request, which are no places in a batch.
  const positions = rows.flatMap((step, s) => step.map((ids, slot) => route(`request-${slot}`, 100 * slot + s, ids)));
  expect((await imported(positions)).sequences).toEqual(texts);
});

test("an index that runs on over requests in turn is noticed, and taken apart when told", async () => {
  const { texts, rows } = batch(6, 80);
  const lines = rows.flat().map((ids, i) => route("r1", i, ids));
  expect((await imported(lines)).warnings).toContain("import with --interleaved 6");
  const apart = await imported(lines, { interleaved: 6 });
  expect(apart.sequences).toEqual(texts);
});

test("rows without any reuse are read by the rule that fits their steps, with a warning that it is uncertain", async () => {
  const rows = text(3, 600, 0);
  const running = await imported(rows.map((ids, i) => route("r1", i, ids)));
  expect(running.sequences).toEqual([rows]);
  expect(running.warnings).toMatch(/nothing shows how rows become sequences.*--grouping slots/);
  const steps = await imported(rows.map((ids, i) => route("r1", i % 6, ids)));
  expect(steps.sequences.map((sequence) => sequence.length)).toEqual(Array(6).fill(100));
  expect(steps.warnings).toMatch(/places in the batch are followed/);
  expect(
    (
      await imported(
        rows.map((ids, i) => route("r1", i % 6, ids)),
        { grouping: "slots" },
      )
    ).warnings,
  ).toBe("");
});

test("an index that neither begins again nor runs on is refused with its line", async () => {
  const lines = text(4, 30).map((ids, i) => route("r1", i < 10 ? i : i + 7, ids));
  await expect(imported(lines)).rejects.toThrow(/log\.jsonl:12: token_idx: expected 0 or 10, found 17/);
});

test("the numbers of a log's own header count, and those that contradict it are refused", async () => {
  const rows = text(5, 100);
  const lines = (meta: object) => [{ type: "meta", ...meta }, ...rows.map((ids, i) => route("r1", i, ids))];
  const write = (meta: object) => folder.write("meta.jsonl", jsonLines(lines(meta)));
  const { file, warnings } = await open([write({ num_experts: 128, top_k: 4 })]);
  expect(file.header).toMatchObject({ experts: 128, topK: 4 });
  expect(warnings.join()).not.toContain("not stated");
  await file.close();
  await expect(open([write({ num_experts: 128 })], { experts: 64 })).rejects.toThrow(
    /64 experts, as stated, found "128 by its own header/,
  );
  await expect(open([write({ num_experts: 16 })])).rejects.toThrow(/expert ids below 16/);
  await expect(open([write({ top_k: 6 })])).rejects.toThrow(/6 experts per token, as stated, found "4 ids per row"/);
});

test("a fused shared expert at the end of every row is no routed expert", async () => {
  const rows = text(6, 100);
  const { sequences, warnings } = await imported(rows.map((ids, i) => route("r1", i, [...ids, 64])));
  expect(sequences).toEqual([rows]);
  expect(warnings).toContain("(64) is a shared expert that the engine fuses");
});
