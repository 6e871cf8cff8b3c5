import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { distinctIds, draws, temporaryFolder } from "../routing-files.ts";
import { column, jsonLines, layer, openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

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
