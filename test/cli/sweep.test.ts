import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch, spawned } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const small = "small.yaml";
const rows = (folder: string) => readFileSync(join(folder, "results.csv"), "utf8").trimEnd().split("\n");

describe("moecast sweep", () => {
  test("runs, lists, goes on and is queried", async () => {
    const folder = path("first");
    const words = [
      "sweep",
      small,
      "--vary",
      "seed=1,2",
      "--vary",
      "parallel.tp=1,2",
      "--threads",
      "1",
      "-q",
      "-o",
      folder,
    ];
    // Built, its thread starts in a fraction of the time.
    const first = await spawned(words);
    expect([first.code, first.err]).toEqual([0, ""]);
    expect(first.out).toContain("4 configurations | 2 meet every SLO | 2 without a forecast");
    expect(rows(folder)).toHaveLength(5);
    const again = await moecast(words);
    expect(again.out).toBe(first.out.replace("4 run", "0 run, 4 known before"));
    const listed = await moecast(["sweep", "list", folder, "--sort", "tpot.p50", "--json"]);
    expect(JSON.parse(listed.out)).toMatchObject({ rows: 4, configurations: 4, counts: { done: 2, invalid: 2 } });
    const asked = await moecast([
      "sweep",
      "query",
      "select seed from results where passed order by 1",
      folder,
      "--json",
    ]);
    expect(JSON.parse(asked.out)).toEqual([{ seed: 1 }, { seed: 2 }]);
    for (const sql of ["selec", "select * from read_csv('/etc/passwd')", "copy results to '/tmp/x.csv'"])
      expect((await moecast(["sweep", "query", sql, folder])).code, sql).toBe(2);
    // Another scenario, and the same one changed.
    expect((await moecast([...words, "--set", "traffic.requests=9"])).code).toBe(3);
  });

  test.each<[string, readonly string[], number, string]>([
    ["nothing to vary", [], 2, "expected what to vary"],
    ["a path of no key", ["--vary", "engine.idd=vllm"], 3, "engine.idd"],
    ["contradictory ends", ["--range", "seed=9..1", "--points", "2"], 2, "a smaller end, then a larger one"],
    ["a range without points", ["--range", "seed=1..9"], 2, "--points"],
    ["a wrong shard", ["--vary", "seed=1,2", "--shard", "3/2"], 2, "--shard"],
    ["every configuration invalid", ["--vary", "seed=a,b"], 3, "--set seed=a"],
  ])("%s is one message", async (_what, words, code, message) => {
    const ended = await moecast(["sweep", small, ...words, "-o", path("refused")]);
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(message);
    expect(ended.err.trim().split("\n").length).toBeLessThan(3);
  });

  test("contradictions in a scenario name their place", async () => {
    const scenario = readFileSync(join(import.meta.dirname, "..", "fixtures", "scenarios", small), "utf8");
    const file = write("bad.yaml", `${scenario}sweep:\n  sample: { points: 3, ranges: {} }\n`);
    const ended = await moecast(["sweep", file, "-o", path("refused")]);
    expect(ended.code).toBe(3);
    expect(ended.err).toContain("sweep.sample.ranges");
  });

  test("folders without results are refused", async () => {
    for (const words of [["list"], ["merge", "-o", path("m")], ["query", "select 1"]])
      expect((await moecast(["sweep", ...words, path("nowhere")])).code).toBe(3);
    expect((await moecast(["sweep", "merge", path("nowhere")])).code).toBe(2);
    expect((await moecast(["sweep", "list", path("first"), "--sort", "nothing"])).code).toBe(2);
  });
});
