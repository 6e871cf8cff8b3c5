import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { distinctIds, draws, temporaryFolder } from "../routing-files.ts";
import { column, jsonLines, layer, openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

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
