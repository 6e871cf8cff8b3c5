import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Design } from "../../../src/plan/design/design.ts";
import type { Executor } from "../../../src/plan/execute/executor.ts";
import type { Outcome } from "../../../src/plan/job/job.ts";
import { outcomeFigures } from "../../../src/plan/job/outcome-figures.ts";
import { runSweep } from "../../../src/plan/sweep/run-sweep.ts";
import { base } from "../queue/queue-fixtures.ts";

/** A file system of 64 KiB; false where this process may not make one. */
const mounts = (at: string, size: string): boolean =>
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at], { stdio: "ignore" }).status === 0;

const folder = mkdtempSync(join(tmpdir(), "moecast-surroundings-"));
const disk = join(folder, "disk");
mkdirSync(disk);
const mounted = mounts(disk, "64k");
if (!mounted) console.warn("no file system can be mounted here: the test of a full disk is skipped");
afterAll(() => {
  if (mounted) spawnSync("umount", [disk]);
  rmSync(folder, { recursive: true });
});

const design: Design = {
  cases: [],
  matrix: [{ path: "seed", texts: Array.from({ length: 300 }, (_, i) => String(i)) }],
  sample: null,
};

/** An outcome that tells its job, as large as real ones. */
const outcomeOf = (key: string): Outcome => ({
  status: "done",
  reason: null,
  verdict: "stable",
  passed: true,
  binding: null,
  strain: Number.parseInt(key.slice(0, 6), 16) / 7,
  strainAtBest: null,
  figures: outcomeFigures.map((_figure, i) => Number.parseInt(key.slice(i % 8, (i % 8) + 8), 16) / 3),
});

/** An executor without a simulator; `ran` has the keys of what it ran. */
function counted(): Executor & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    run: async (_base, jobs, sink) => {
      for (const job of jobs) {
        ran.push(job.key);
        await sink(job, outcomeOf(job.key));
      }
    },
    close: async () => {},
  };
}

const run = (target: string, executor: Executor = counted()) =>
  runSweep({ base, design, folder: target, shard: null }, { executor });
const keysIn = (target: string): string[] =>
  readFileSync(join(target, "journal.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => (JSON.parse(line) as [string])[0]);

describe("a disk", () => {
  test.runIf(mounted)(
    "that is full is one message with exit code 2; what was computed is kept, and the rest follows",
    async () => {
      const target = join(disk, "sweep");
      const first = counted();
      await expect(run(target, first)).rejects.toMatchObject({
        exitCode: 2,
        message: `cannot write ${join(target, "journal.jsonl")}: no space is left on the device`,
      });
      const kept = keysIn(target);
      expect(kept.length).toBeGreaterThan(10);
      // All but the last, which had no room, are whole.
      expect(kept).toEqual(first.ran.slice(0, -1));
      // Again, with no more room: still the same message, and nothing is lost.
      await expect(run(target)).rejects.toMatchObject({ exitCode: 2 });
      expect(keysIn(target)).toEqual(kept);
      spawnSync("mount", ["-o", "remount,size=4m", disk]);
      const rest = counted();
      await run(target, rest);
      expect([...kept, ...rest.ran].sort()).toEqual([...new Set([...kept, ...rest.ran])].sort());
      const whole = join(folder, "whole");
      await run(whole);
      for (const name of ["results.csv", "results.parquet"])
        expect(readFileSync(join(target, name)).equals(readFileSync(join(whole, name)))).toBe(true);
    },
  );
});

test("results of another version are refused with exit code 3 and a hint, and are left as they are", async () => {
  const target = join(folder, "versions");
  await run(target);
  const journal = join(target, "journal.jsonl");
  const text = readFileSync(journal, "utf8");
  for (const other of [
    text.replace(/"moecastVersion":"[^"]*"/, '"moecastVersion":"0.0.1"'),
    text.replace(/"version":\d+/, '"version":0'),
    text.replace('"throughput"', '"through"'),
  ]) {
    expect(other).not.toBe(text);
    writeFileSync(journal, other);
    await expect(run(target)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("results of another version mean something else: take another folder"),
    });
    expect(readFileSync(journal, "utf8")).toBe(other);
  }
});

test("of two sweeps in one folder at once the second is refused, and the first goes on", async () => {
  const target = join(folder, "twice");
  const second: Promise<unknown>[] = [];
  const executor = counted();
  const slow: Executor = {
    ...executor,
    run: async (over, jobs, sink) => {
      cpSync(join(target, "lock"), join(folder, "lock"));
      // Of another process of this host, which is there.
      writeFileSync(join(target, "lock"), `1 ${hostname()}\n`);
      second.push(run(target));
      await expect(second[0]).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining("expected a folder that no other sweep uses"),
      });
      cpSync(join(folder, "lock"), join(target, "lock"));
      await executor.run(over, jobs, sink);
    },
  };
  const { rows } = await run(target, slow);
  expect(rows.length).toBe(300);
});
