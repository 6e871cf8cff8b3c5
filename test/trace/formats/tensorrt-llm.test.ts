import { expect, test } from "vitest";
import { loadCountsTable } from "../../../src/trace/load-counts.ts";
import { safetensors, temporaryFolder } from "../routing-files.ts";
import { column, layer, openedIn, recording } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

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
