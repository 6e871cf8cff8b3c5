import { expect, test } from "vitest";
import { openRoutingTrace } from "../../../../src/trace/container/open-trace.ts";
import { loadCountsTable } from "../../../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../../../src/trace/load-routing.ts";
import type { RoutingTable } from "../../../../src/trace/routing-table.ts";
import { saveRoutingTable } from "../../../../src/trace/save-routing.ts";
import { batchSteps, distinctPerWindow } from "../../../../src/trace/stats/distinct-experts.ts";
import { globalLruCurve, layerLruCurve } from "../../../../src/trace/stats/lru-curve.ts";
import { overlapAtLag } from "../../../../src/trace/stats/overlap.ts";
import { expertCounts } from "../../../../src/trace/stats/popularity.ts";
import { reuseGaps } from "../../../../src/trace/stats/reuse-gap.ts";
import { segmentRouting } from "../../../../src/trace/stats/segment-routing.ts";
import { traceStats } from "../../../../src/trace/stats/trace-stats.ts";
import { pairCounts, transitionCounts } from "../../../../src/trace/stats/transition.ts";
import { distinctIds, draws, temporaryFolder } from "../../routing-files.ts";
import { layer, openedIn } from "../opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);
const row = (token: number, layer: number, ids: readonly number[], weights = ids.map((_id, k) => 1 / (k + 1))) =>
  `r${token % 2},${token},${layer},${ids.join(" ")},${weights.join(" ")}`;
const table = (rows: readonly string[]) => ["request,token,layer,experts,weights", ...rows].join("\n");

test.each([5, 255, 256])("rows with fewer experts end in the id of none, with %i experts", async (experts) => {
  const last = experts - 1;
  const rows = [row(0, 0, [3, last]), row(0, 1, [last]), row(1, 0, [0, 1], [0.25, 0.5]), row(1, 1, [2, 4])];
  const { file, warnings } = await open([folder.write("fewer.csv", table(rows))], { experts });
  expect(file.header).toMatchObject({ topK: 2, experts, fewer: true });
  expect(warnings.join()).toContain("1 of 4 rows have fewer than 2 experts, the first in line 3 of fewer.csv");
  expect(await layer(file, 0)).toEqual([3, last, 1, 0]);
  expect(await layer(file, 1)).toEqual([last, experts, 2, 4]);
  expect([...(await file.readWeights(1, 0, 1))]).toEqual([1, 0]);
  const loaded = await loadRoutingTable(file);
  expect([loaded.rows, [...loaded.ids]]).toEqual([2, [3, last, last, experts, 1, 0, 2, 4]]);
  expect((await loadCountsTable(file)).counts.reduce((sum, count) => sum + count)).toBe(7);
  await saveRoutingTable(loaded, "m", folder.path("again.safetensors"));
  await file.close();
  const again = await openRoutingTrace(folder.path("again.safetensors"));
  expect((await loadRoutingTable(again)).ids).toEqual(loaded.ids);
  await again.close();
});

test("a place that is always empty changes no statistic of the experts that are there", async () => {
  const draw = draws(9);
  const rows = Array.from({ length: 80 }, (_value, token) =>
    [0, 1].map((at) => row(token, at, distinctIds(draw, 6, 2))),
  ).flat();
  const { file } = await open([folder.write("two.csv", table(rows))], { experts: 6 });
  const two = await loadRoutingTable(file);
  await file.close();
  const places = (id: number) => [two.ids[id * 2]!, two.ids[id * 2 + 1]!, 6];
  const three: RoutingTable = {
    ...two,
    topK: 3,
    ids: Uint8Array.from(Array.from({ length: two.ids.length / 2 }, (_value, id) => places(id)).flat()),
  };
  for (const measure of [
    (of: RoutingTable) => expertCounts(of, 1),
    (of: RoutingTable) => layerLruCurve(of, 0),
    globalLruCurve,
    (of: RoutingTable) => distinctPerWindow(of, 0, 4),
    (of: RoutingTable) => batchSteps(of, 0, [0, 1])!.distinct,
    (of: RoutingTable) => transitionCounts(of, 0),
    (of: RoutingTable) => pairCounts(of, 0),
    (of: RoutingTable) => reuseGaps(of, 0),
    (of: RoutingTable) => segmentRouting(of, 0, 16),
    (of: RoutingTable) => Math.round(overlapAtLag(of, 0, 1).share * of.topK * 1e9),
  ])
    expect(measure(three)).toEqual(measure(two));
  expect(JSON.stringify(traceStats(three))).not.toContain("null,null");
});
