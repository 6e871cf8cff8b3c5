import { expect, test } from "vitest";
import { loadCountsTable } from "../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { temporaryFolder } from "../routing-files.ts";
import { column, layer, openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

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
