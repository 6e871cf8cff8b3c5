import { expect, test } from "vitest";
import { loadRoutingTable } from "../../../../src/trace/load-routing.ts";
import { distinctIds, draws, temporaryFolder } from "../../routing-files.ts";
import { column, jsonLines, openedIn } from "../opened.ts";
import { mapOf } from "./written-tables.ts";

const folder = temporaryFolder();
const open = openedIn(folder);
const draw = draws(17);
const range = (count: number) => Array.from({ length: count }, (_value, i) => i);
const weights = [0.625, 0.25];

/** What a trace holds, whoever imported it. */
async function traceOf(paths: readonly string[], map?: string) {
  const { file, format } = await open(paths, { experts: 16, ...(map === undefined ? {} : { map: mapOf(map) }) });
  expect(format === "table").toBe(map !== undefined);
  const columns = Object.fromEntries(
    await Promise.all(file.columns.map(async (name) => [name, await column(file, name)] as const)),
  );
  const { origin: _origin, ...table } = await loadRoutingTable(file, { also: new Set(["weights"]) });
  const { droppedRows } = file.header.provenance;
  await file.close();
  return { columns, table, droppedRows };
}

test("a problem log read by a map is what its own importer makes of it", async () => {
  const lines = [0, 1, 2].flatMap((layer) =>
    ["7", "3"].flatMap((problem) =>
      range(problem === "3" && layer === 1 ? 10 : 12).map((token) => ({
        dataset: "toy",
        problem_id: problem,
        layer,
        token_idx: token,
        experts: distinctIds(draw, 16, 2),
        gating_probs: weights,
      })),
    ),
  );
  const paths = [folder.write("log.jsonl", jsonLines(lines))];
  const map =
    "request=dataset+problem_id,domain=dataset,token=token_idx,layer=layer,experts=experts,weights=gating_probs";
  expect(await traceOf(paths, map)).toEqual(await traceOf(paths));
});

test("a step log in a file for each layer read by a map is what its own importer makes of it", async () => {
  const warmUp = [64, 32, 16].flatMap((size) => range(size).map((token) => ({ token_idx: token, topk_ids: [3, 4] })));
  const sizes = [40, 4, 4, 4, 3, 3, 30, 5];
  const paths = [0, 5].map((layer) => {
    const serving = sizes.flatMap((size) =>
      range(size).map((token) => ({ token_idx: token, topk_ids: distinctIds(draw, 16, 2) })),
    );
    const routes = [...warmUp, ...serving].map((route) => ({
      type: "route",
      req_id: "r1",
      layer,
      ...route,
      topk_weights: weights,
    }));
    return folder.write(`layer${layer}.jsonl`, jsonLines([{ type: "meta", model_id: "m" }, ...routes]));
  });
  const own = await traceOf(paths);
  expect(own.droppedRows).toBe(112);
  expect(await traceOf(paths, "token=token_idx,layer=layer,experts=topk_ids,weights=topk_weights")).toEqual(own);
});
