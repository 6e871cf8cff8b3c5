import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { readJournal } from "../../src/plan/journal/journal.ts";
import { built, scratch, spawned } from "./command.ts";

const { path } = scratch();
const posix = process.platform !== "win32";
const tables = (folder: string) => ["results.csv", "results.parquet"].map((name) => readFileSync(join(folder, name)));
const routed = ["--set", "routing={kind: parametric, skew: 1, rows: 2000}"];
const varied = [
  "sweep",
  "small.yaml",
  ...routed,
  "--vary",
  "seed=1,2,3,4,5,6,7,8",
  "--vary",
  "traffic.requests=20,300,40",
  "-q",
];
const sweep = (name: string, ...more: string[]) => spawned([...varied, "-o", path(name), ...more]);
const journalBytes = (name: string) =>
  statSync(join(path(name), "journal.jsonl"), { throwIfNoEntry: false })?.size ?? 0;

describe("moecast sweep as a process", () => {
  test("has the same tables on one thread and on three, and as shards", async () => {
    const one = await sweep("one", "--threads", "1");
    expect([one.code, one.err]).toEqual([0, ""]);
    await sweep("three", "--threads", "3");
    expect(tables(path("three"))).toEqual(tables(path("one")));
    for (const shard of ["1/2", "2/2"]) await sweep(`part-${shard[0]}`, "--shard", shard);
    const merged = await spawned(["sweep", "merge", path("part-2"), path("part-1"), "-o", path("whole")]);
    expect(merged.code).toBe(0);
    expect(tables(path("whole"))).toEqual(tables(path("one")));
  });

  test("a row of a sweep has the figures of moecast run with the same settings", async () => {
    await sweep("rows", "--threads", "2");
    const words = [...routed, "--set", "seed=3", "--set", "traffic.requests=300"];
    const single = await spawned(["run", "small.yaml", ...words, "--json", "--no-advice"]);
    const query = 'select throughput, "ttft.p50" from results where seed = 3 and "traffic.requests" = 300';
    const asked = await spawned(["sweep", "query", query, path("rows"), "--json"]);
    const [row] = JSON.parse(asked.out) as Record<string, number>[];
    const { latency, throughput } = JSON.parse(single.out) as Forecast;
    expect(row).toEqual({ throughput: throughput.outputTokensPerSecond, "ttft.p50": latency.ttft.p50 });
  });

  test.runIf(posix)("killed again and again it goes on, and ends with the same tables", async () => {
    await sweep("straight");
    let before = 0;
    for (let kill = 0; kill < 8; kill++) {
      await spawned([...varied, "-o", path("killed"), "--threads", "2"], {
        during: (child) => {
          const from = journalBytes("killed");
          const timer = setInterval(() => {
            if (journalBytes("killed") > from + 500 * (kill % 3)) child.kill("SIGKILL");
          }, 5);
          child.on("exit", () => clearInterval(timer));
        },
      });
      const kept = (await readJournal(join(path("killed"), "journal.jsonl"))).size;
      expect(kept).toBeGreaterThanOrEqual(before);
      before = kept;
    }
    expect(before).toBeGreaterThan(0);
    const ended = await sweep("killed");
    expect(ended.code).toBe(0);
    expect(tables(path("killed"))).toEqual(tables(path("straight")));
  });

  test.runIf(posix)("Ctrl-C keeps what there is, writes it and exits 130", async () => {
    const long = ["sweep", "small.yaml", "--range", "seed=1..1000000", "--points", "5000", "--threads", "2", "-q"];
    const ended = await spawned([...long, "-o", path("stopped")], {
      during: (child) => {
        const timer = setInterval(() => {
          if (journalBytes("stopped") < 5000) return;
          clearInterval(timer);
          child.kill("SIGINT");
        }, 5);
        child.on("exit", () => clearInterval(timer));
      },
    });
    expect(ended.code).toBe(130);
    expect(ended.out).toMatch(/interrupted: \d+ of 5,000 have a result/);
    const rows =
      readFileSync(join(path("stopped"), "results.csv"), "utf8")
        .trimEnd()
        .split("\n").length - 1;
    expect(rows).toBe((await readJournal(join(path("stopped"), "journal.jsonl"))).size);
    expect(existsSync(join(path("stopped"), "lock"))).toBe(false);
  });

  test.runIf(posix)("a second process on the folder is refused", async () => {
    let second: ReturnType<typeof spawnSync> | null = null;
    await spawned([...varied, "-o", path("shared")], {
      during: (child) => {
        const timer = setInterval(() => {
          if (journalBytes("shared") === 0) return;
          clearInterval(timer);
          const words = [
            built(),
            ...varied.with(1, join(import.meta.dirname, "..", "fixtures", "scenarios", "small.yaml")),
          ];
          second = spawnSync(process.execPath, [...words, "-o", path("shared")]);
        }, 5);
        child.on("exit", () => clearInterval(timer));
      },
    });
    expect(second!.status).toBe(3);
    expect(String(second!.stderr)).toContain("no other sweep uses");
  });

  test.runIf(existsSync("/dev/full"))(
    "a disk without room ends with one message, and what was computed is kept",
    async () => {
      await sweep("full", "--shard", "1/8");
      const journal = readFileSync(join(path("full"), "journal.jsonl"));
      const script = `ulimit -f ${Math.floor(journal.length / 1024)}; exec "$@"`;
      writeFileSync(join(path("full"), "journal.jsonl"), journal.subarray(0, journal.lastIndexOf(10, -2) + 1));
      const words = [process.execPath, built(), ...varied, "--shard", "1/8", "-o", path("full")];
      const cwd = join(import.meta.dirname, "..", "fixtures", "scenarios");
      const ended = spawnSync("bash", ["-c", `trap '' XFSZ; ${script}`, "bash", ...words], { cwd });
      expect(ended.status).toBe(2);
      expect(String(ended.stderr)).toContain("cannot write");
      expect((await sweep("full", "--shard", "1/8")).code).toBe(0);
    },
  );
});
