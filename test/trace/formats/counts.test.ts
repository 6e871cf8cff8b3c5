import { expect, test } from "vitest";
import { loadCountsTable } from "../../../src/trace/load-counts.ts";
import { npy, npz, safetensors, temporaryFolder } from "../routing-files.ts";
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
