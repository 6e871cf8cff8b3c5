import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cgroupLimits } from "../../src/cli/doctor/cgroup.ts";
import { machineFindings } from "../../src/cli/doctor/checks/machine.ts";
import { isAtLeast } from "../../src/cli/doctor/checks/node.ts";
import { checks } from "../../src/cli/doctor/checks.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder } = scratch();

test("says what works here as text and as JSON, with exit code 0", async () => {
  const { code, out, err } = await moecast(["doctor", "--json"]);
  expect([code, err]).toEqual([0, ""]);
  const { works, checks: found } = JSON.parse(out);
  expect(works).toBe(true);
  expect(Object.keys(found)).toEqual(Object.keys(checks));
  expect(found.solvers).toMatchObject([
    { topic: "highs", state: "ok" },
    { topic: "glpk", state: "ok" },
  ]);
  const text = await moecast(["doctor"]);
  expect(text.out).toContain("forecasts work here");
  for (const { title } of Object.values(checks)) expect(text.out).toContain(title);
});

test("versions are compared part by part", () => {
  for (const found of ["20.19", "20.19.0", "20.20.1", "22.0.0", "100.0.0"])
    expect(isAtLeast(found, "20.19")).toBe(true);
  for (const found of ["20.18.9", "18.99.0", "2.19", "9.0.0"]) expect(isAtLeast(found, "20.19")).toBe(false);
});

test("limits of control groups of both versions are read; none and nonsense are no limit", async () => {
  const group = (name: string, files: Readonly<Record<string, string>>): string => {
    const root = join(folder, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };
  const two = group("two", { "memory.max": "2147483648\n", "cpu.max": "150000 100000\n" });
  expect(await cgroupLimits(two)).toEqual({ memoryBytes: 2 ** 31, processors: 1.5 });
  const open = group("open", { "memory.max": "max\n", "cpu.max": "max 100000\n" });
  expect(await cgroupLimits(open)).toEqual({ memoryBytes: null, processors: null });
  const one = group("one", {
    "memory/memory.limit_in_bytes": "9223372036854771712\n",
    "cpu/cpu.cfs_quota_us": "50000\n",
    "cpu/cpu.cfs_period_us": "100000\n",
  });
  expect(await cgroupLimits(one)).toEqual({ memoryBytes: null, processors: 0.5 });
  const odd = group("odd", { "memory.max": "\u001b[31mx\n", "cpu.max": "-1\n" });
  expect(await cgroupLimits(odd)).toEqual({ memoryBytes: null, processors: null });
  expect(await cgroupLimits(join(folder, "nowhere"))).toEqual({ memoryBytes: null, processors: null });
});

test("a container's limits are said where they are below the machine's, and what they mean for threads", () => {
  const text = (limits: Parameters<typeof machineFindings>[0]) =>
    machineFindings(limits, 16 * 2 ** 30, 8)
      .map((finding) => `${finding.text} ${finding.advice ?? ""}`)
      .join("\n");
  expect(text({ memoryBytes: 2 ** 29, processors: 1.5 })).toMatch(
    /limited to the time of 1\.5[\s\S]*--threads 1[\s\S]*512 MiB of 16 GiB/,
  );
  expect(text({ memoryBytes: 2 ** 40, processors: 64 })).not.toContain("cgroup");
});
