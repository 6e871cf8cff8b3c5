import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InvalidInputError, OutputError } from "../../../src/core/errors.ts";
import { lockFolder } from "../../../src/files/folder-lock.ts";
import { readDesign } from "../../../src/plan/design/read-design.ts";
import type { Executor } from "../../../src/plan/execute/executor.ts";
import type { JobBase, Outcome } from "../../../src/plan/job/job.ts";
import { outcomeFigures } from "../../../src/plan/job/outcome-figures.ts";
import { refused } from "../../../src/plan/job/run-job.ts";
import { resultCsv } from "../../../src/plan/results/result-csv.ts";
import { ResultFile } from "../../../src/plan/results/result-file.ts";
import { resultParquet } from "../../../src/plan/results/result-parquet.ts";
import type { ResultColumn } from "../../../src/plan/results/result-table.ts";
import { listResults } from "../../../src/plan/sweep/list-results.ts";
import { mergeSweeps } from "../../../src/plan/sweep/merge-sweeps.ts";
import { runSweep, type SweepResult } from "../../../src/plan/sweep/run-sweep.ts";
import { inShard, parseShard, pointsIn } from "../../../src/plan/sweep/shard.ts";
import { scenarioSchema } from "../../../src/scenario/schema.ts";
import { scenarios, scratch } from "../../cli/command.ts";
import { done } from "../outcomes.ts";

const { path, write } = scratch();
const file = join(scenarios, "small.yaml");
const base: JobBase = { file, text: readFileSync(file, "utf8"), settings: [], params: {} };
const design = (...vary: string[]) => readDesign(undefined, { vary, ranges: [], points: null, seed: null });
const twelve = design("seed=1,2,3,4,5,6", "traffic.requests=10,20");

/** A forecast that is a function of the settings. */
const outcomeFor = (settings: readonly string[]): Outcome => {
  const seed = Number(/seed=(\d+)/.exec(settings.join(" "))?.[1]);
  if (seed === 6) return refused("infeasible", "does not fit");
  return done({ devices: 1, throughput: seed * 100, throughputPerDevice: seed * 100 }, { passed: seed !== 2 });
};

/** Runs jobs here, the last first or in an order of its own; ends as `until` says. */
const here = (options: { order?: 1 | -1; until?: (ran: number) => void; made?: string[][] } = {}): Executor => ({
  run: async (_base, jobs, sink) => {
    const all = options.order === -1 ? jobs.toReversed() : jobs;
    for (const [ran, job] of all.entries()) {
      options.until?.(ran);
      options.made?.push([...job.settings]);
      await sink(job, outcomeFor(job.settings));
    }
  },
  close: async () => {},
});

const run = (
  name: string,
  executor = here(),
  some: Partial<Parameters<typeof runSweep>[0]> = {},
): Promise<SweepResult> => runSweep({ base, design: twelve, folder: path(name), shard: null, ...some }, { executor });
const tables = (name: string) =>
  ["results.csv", "results.parquet"].map((table) => readFileSync(join(path(name), table)));

describe("a sweep", () => {
  test("has the same tables whatever the order in which outcomes come, and none twice", async () => {
    const made: string[][] = [];
    await run("forward", here({ made }));
    await run("backward", here({ order: -1 }));
    expect(tables("backward")).toEqual(tables("forward"));
    expect(made).toHaveLength(12);
    const again = await run("forward", here({ until: () => expect.fail("a job ran again") }));
    expect([again.cached, again.rows.length, again.counts.infeasible]).toEqual([12, 12, 2]);
  });

  test("goes on where it was ended, to the same tables", async () => {
    for (const end of [0, 1, 5, 11]) {
      const stop = (ran: number) => {
        if (ran === end) throw new Error("killed");
      };
      await expect(run(`ended-${end}`, here({ until: stop }))).rejects.toThrow("killed");
      const made: string[][] = [];
      await run(`ended-${end}`, here({ made }));
      expect(made).toHaveLength(12 - end);
      expect(tables(`ended-${end}`)).toEqual(tables("forward"));
    }
  });

  test("an interrupt writes what there is and says so; the same call goes on", async () => {
    const controller = new AbortController();
    const until = (ran: number) => {
      if (ran === 4) controller.abort();
      controller.signal.throwIfAborted();
    };
    const request = { base, design: twelve, folder: path("interrupted"), shard: null };
    const part = await runSweep(request, { executor: here({ until }), signal: controller.signal });
    expect([part.interrupted, part.rows.length]).toEqual([true, 4]);
    expect(await listResults(path("interrupted"), { top: 10 })).toMatchObject({ rows: 4, configurations: 12 });
    await run("interrupted");
    expect(tables("interrupted")).toEqual(tables("forward"));
  });

  test("interrupted before its first outcome has tables without rows", async () => {
    const controller = new AbortController();
    controller.abort();
    const until = () => controller.signal.throwIfAborted();
    const request = { base, design: twelve, folder: path("none"), shard: null };
    await runSweep(request, { executor: here({ until }), signal: controller.signal });
    expect(await listResults(path("none"), { top: 10 })).toMatchObject({ rows: 0, best: [], passed: null });
  });

  test("failed attempts are made again", async () => {
    const failing: Executor = {
      ...here(),
      run: (_base, jobs, sink) => here().run(base, jobs, (job) => sink(job, refused("failed", "no memory"))),
    };
    expect((await run("failing", failing)).counts.failed).toBe(12);
    const made: string[][] = [];
    expect((await run("failing", here({ made }))).counts.failed).toBe(0);
    expect(made).toHaveLength(12);
    expect(tables("failing")).toEqual(tables("forward"));
  });

  test("configurations that are the same are run once and have a row each", async () => {
    const made: string[][] = [];
    const { rows } = await run("same", here({ made }), { design: design("seed=1,1,2") });
    expect([made.length, rows.length]).toEqual([2, 3]);
    expect(rows[0]!.outcome).toEqual(rows[1]!.outcome);
  });

  test("progress begins with what was there and ends with all", async () => {
    const calls: [number, number][] = [];
    const request = { base, design: design("seed=1,2,3"), folder: path("progress"), shard: null };
    const onProgress = (ran: number, all: number) => void calls.push([ran, all]);
    await runSweep(request, { executor: here(), onProgress });
    await runSweep(request, { executor: here(), onProgress });
    expect(calls).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
      [3, 3],
      [3, 3],
    ]);
  });

  test("is refused with its first message where no configuration is a scenario, and runs where one is", async () => {
    await expect(run("bad", here(), { design: design("engine.nothing=1,2") })).rejects.toThrow("engine.nothing");
    expect(existsSync(path("bad"))).toBe(false);
    const many = Array.from({ length: 1000 }, (_, i) => (i < 900 ? `bad${i}` : `${i}`)).join(",");
    const { rows } = await run("late", here(), { design: design(`seed=${many}`) });
    expect(rows).toHaveLength(1000);
  });

  test("a folder of something else is refused and stays as it was", async () => {
    await run("one", here(), { design: design("seed=1") });
    const before = readFileSync(join(path("one"), "journal.jsonl"));
    const refusals: [Partial<Parameters<typeof runSweep>[0]>, string][] = [
      [{ design: design("seed=2") }, "another design, over seed"],
      [{ design: design("seed=1"), base: { ...base, settings: ["traffic.requests=9"] } }, "other inputs or settings"],
      [{ design: design("seed=1"), shard: { index: 1, count: 2 } }, "another shard"],
    ];
    for (const [some, message] of refusals) await expect(run("one", here(), some)).rejects.toThrow(message);
    expect(readFileSync(join(path("one"), "journal.jsonl"))).toEqual(before);
    const manifest = join(path("one"), "sweep.json");
    const text = readFileSync(manifest, "utf8");
    for (const broken of [
      "{}",
      "[]",
      "{",
      text.replace(/"matrix": \[/, '"matrix": [7, '),
      text.replace(/"cases": \[\]/, '"cases": 1'),
    ]) {
      writeFileSync(manifest, broken);
      await expect(listResults(path("one"), { top: 1 }), broken).rejects.toThrow(InvalidInputError);
    }
    writeFileSync(manifest, text.replace(/"moecastVersion": "[^"]*"/, '"moecastVersion": "9.9.9"'));
    await expect(run("one", here(), { design: design("seed=1") })).rejects.toThrow(`found "9.9.9"`);
  });

  test("somebody's files in a folder are refused, never replaced", async () => {
    mkdirSync(path("theirs"));
    write("theirs/results.csv", "mine\n");
    await expect(run("theirs")).rejects.toThrow(InvalidInputError);
    expect(readFileSync(path("theirs/results.csv"), "utf8")).toBe("mine\n");
    write("plain", "");
    await expect(run("plain")).rejects.toThrow(OutputError);
  });

  test("a folder that another process uses is refused", async () => {
    mkdirSync(path("held"));
    write("held/lock", `${process.ppid} ${(await import("node:os")).hostname()}\n`);
    await expect(run("held")).rejects.toThrow("a folder that no other sweep uses");
    await expect(lockFolder(join(path("held"), "lock"), "sweep")).rejects.toThrow(InvalidInputError);
  });
});

describe("shards", () => {
  test("are every configuration once", () => {
    for (const count of [1, 2, 3, 7])
      for (const points of [0, 1, 5, 21]) {
        const shards = Array.from({ length: count }, (_, i) => ({ index: i + 1, count }));
        for (let point = 0; point < points; point++)
          expect(shards.filter((shard) => inShard(shard, point))).toHaveLength(1);
        for (const shard of shards)
          expect(pointsIn(shard, points)).toBe(
            Array.from({ length: points }, (_, i) => i).filter((i) => inShard(shard, i)).length,
          );
      }
  });

  test.each(["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3", ""])("%j is refused", (text) => {
    expect(() => parseShard(text)).toThrow("--shard");
  });

  test("merged in any order give the tables of one worker", async () => {
    for (const index of [1, 2, 3]) await run(`shard-${index}`, here(), { shard: { index, count: 3 } });
    for (const [i, order] of [
      [1, 2, 3],
      [3, 1, 2],
      [2, 2, 3, 1],
    ].entries()) {
      const merged = await mergeSweeps(
        path(`merged-${i}`),
        order.map((index) => path(`shard-${index}`)),
      );
      expect(merged).toEqual({ rows: 12, missing: 0 });
      expect(tables(`merged-${i}`)).toEqual(tables("forward"));
    }
    expect(await mergeSweeps(path("two"), [path("shard-1"), path("shard-3")])).toEqual({ rows: 8, missing: 4 });
    expect(await mergeSweeps(path("two"), [path("shard-2")])).toEqual({ rows: 12, missing: 0 });
    expect(tables("two")).toEqual(tables("forward"));
  });

  test("of different sweeps are refused, and so is an outcome that differs", async () => {
    await run("other", here(), { design: design("seed=1") });
    await expect(mergeSweeps(path("m"), [path("shard-1"), path("other")])).rejects.toThrow("another sweep");
    const journal = join(path("shard-2"), "journal.jsonl");
    const outcomes = readFileSync(journal, "utf8");
    mkdirSync(path("shard-2b"));
    write("shard-2b/sweep.json", readFileSync(join(path("shard-2"), "sweep.json"), "utf8"));
    write("shard-2b/journal.jsonl", outcomes.replace('<50ms",0.5', '<50ms",0.25'));
    await expect(mergeSweeps(path("m2"), [path("shard-2"), path("shard-2b")])).rejects.toThrow(
      "that another folder has",
    );
  });
});

describe("tables", () => {
  const hostile = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "a\nb",
    "a\r\nb",
    '"',
    "a,b",
    "\u001b[31m",
    "\uff1dx",
    "\t=1",
    "é人",
    "null",
    "",
  ];
  const columns: ResultColumn[] = [
    { name: "point", kind: "number", data: hostile.map((_, i) => (i === 3 ? null : i / 3)) },
    { name: "flag", kind: "flag", data: hostile.map((_, i) => (i % 3 === 0 ? null : i % 3 === 1)) },
    { name: '=a"b', kind: "text", data: hostile.map((text, i) => (i === 5 ? null : text)) },
  ];

  test("cells that a spreadsheet or a terminal would act on are inert, one line a row", () => {
    const lines = resultCsv(columns).split("\n");
    expect(lines).toHaveLength(hostile.length + 2);
    expect(lines[0]).toBe(`point,flag,"'=a""b"`);
    for (const line of lines.slice(1, -1)) {
      const cell = line.split(",").slice(2).join(",").replace(/^"/, "");
      expect(cell).not.toMatch(/^[=+\-@\uff1d]/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });

  test("Parquet gives every value back, and equal columns equal bytes", async () => {
    const bytes = await resultParquet(columns);
    expect(await resultParquet(columns)).toEqual(bytes);
    const table = await ResultFile.open(write("hostile.parquet", bytes));
    for (const { name, data } of columns) {
      expect(await table.column(name)).toEqual(data);
      expect(await table.values(name, [2, 0, 2])).toEqual([data[2], data[0], data[2]]);
    }
  });

  test("rows of many groups are found one by one", async () => {
    const data = Array.from({ length: 10_000 }, (_, i) => (i % 7 === 0 ? null : i / 9));
    const table = await ResultFile.open(
      write("many.parquet", await resultParquet([{ name: "a", kind: "number", data }])),
    );
    const rows = [9999, 0, 4095, 4096, 4097, 7, 5000];
    expect(await table.values("a", rows)).toEqual(rows.map((row) => data[row]));
    expect(await table.column("a")).toEqual(data);
  });

  test("what is no table is refused as input", async () => {
    for (const text of ["", "PAR1", "PAR1 and something else PAR1"])
      await expect(ResultFile.open(write("broken.parquet", text))).rejects.toThrow(InvalidInputError);
  });

  test("no path of a scenario is called as a column is", () => {
    const own = [
      "point",
      "key",
      "status",
      "reason",
      "load",
      "passed",
      "binding",
      "strain",
      "strainAtBest",
      ...outcomeFigures.map(({ name }) => name),
    ];
    const keys = new Set(Object.keys(scenarioSchema().shape));
    expect(own.filter((name) => keys.has(name.split(".")[0]!))).toEqual([]);
    expect(new Set(own).size).toBe(own.length);
  });
});

describe("a listing", () => {
  test("has those that meet the SLOs first, each sorted by the figure, as a plain sort would", async () => {
    const { best, counts, passed, reasons, rows } = await listResults(path("forward"), { top: 4, sort: "throughput" });
    expect(best.map(({ values }) => values[0])).toEqual([5, 5, 4, 4]);
    expect([rows, passed, counts]).toEqual([12, 8, { done: 10, infeasible: 2, invalid: 0, failed: 0 }]);
    expect(reasons).toEqual([{ status: "infeasible", reason: "does not fit", count: 2 }]);
    const all = (await listResults(path("forward"), { top: 100, sort: "throughput" })).best;
    expect(all.map(({ point }) => point)).toEqual([8, 9, 6, 7, 4, 5, 0, 1, 2, 3]);
    expect(all.slice(0, 4)).toEqual(best);
  });

  test("by an unknown figure names the nearest", async () => {
    await expect(listResults(path("forward"), { top: 4, sort: "troughput" })).rejects.toThrow(
      `did you mean "throughput"`,
    );
  });

  test("of a sweep that was killed says that it can go on", async () => {
    await expect(run("killed", here({ until: () => expect.fail("killed") }))).rejects.toThrow("killed");
    await expect(listResults(path("killed"), { top: 4 })).rejects.toThrow("the same command goes on with it");
  });
});
