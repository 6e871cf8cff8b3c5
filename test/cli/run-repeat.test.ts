import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Comparison } from "../../src/forecast/compare/comparison.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const quick = ["--no-advice", "--no-thresholds", "--summary", "compact", "-q"];
const saved = (file: string) => JSON.parse(readFileSync(file, "utf8")) as Forecast;

/** Runs the small scenario with further words, and keeps the result. */
async function exported(name: string, ...words: readonly string[]) {
  const file = path(name);
  const ended = await moecast(["run", "small.yaml", ...quick, "--export", `json=${file}`, ...words]);
  return { ...ended, file };
}

/** Interrupts a command so long after it began to listen for it. */
async function interruptedAfter(ms: number, words: readonly string[]) {
  let since: number | null = null;
  const timer = setInterval(() => {
    if (process.listenerCount("SIGINT") === 0) return;
    since ??= performance.now();
    if (performance.now() - since < ms) return;
    clearInterval(timer);
    process.emit("SIGINT");
  }, 20);
  return await moecast(words).finally(() => clearInterval(timer));
}

describe("moecast run --repeat", () => {
  test("exports every compared metric by seed, and the figures of the first seed", async () => {
    const { code, out, file } = await exported("four.json", "--repeat", "4", "--seed", "7");
    expect(code).toBe(0);
    expect(out).toMatch(/4 seeds/);
    const { repetitions, ...first } = saved(file);
    expect(repetitions?.seeds).toEqual([7, 8, 9, 10]);
    for (const values of Object.values(repetitions!.metrics)) expect(values).toHaveLength(4);
    const { file: single } = await exported("one.json", "--seed", "7");
    expect(first.latency).toEqual(saved(single).latency);
    expect(repetitions!.metrics["ttft.mean"]![0]).toBe(first.latency.ttft.mean);
  });

  test("is held against a baseline over the seeds that both ran: slower engines fail, the same one does not", async () => {
    const { file: base } = await exported("base.json", "--repeat", "4");
    const same = await moecast(["run", "small.yaml", "--repeat", "4", "--no-advice", "-q", "--baseline", base]);
    expect(same.code).toBe(0);
    const slow = ["--repeat", "4", "--set", "engine.maxNumSeqs=1", "--baseline", base];
    const { code: judged } = await moecast(["run", "small.yaml", "--no-advice", "-q", ...slow]);
    expect(judged).toBe(99);
    const { file } = await exported("slow.json", ...slow);
    const delta = saved(file).baseline!.find(({ metric }) => metric === "itl.mean")!;
    expect(delta).toMatchObject({ overSeeds: true, unit: "ms" });
    expect(delta.halfWidth).toBeGreaterThan(0);
    const means = [base, file].map((one) => saved(one).repetitions!.metrics["itl.mean"]!);
    for (const [i, shown] of [delta.before, delta.after].entries())
      expect(shown).toBeCloseTo(means[i]!.reduce<number>((sum, value) => sum + value!, 0) / 4, 9);
  });
});

test("an interrupt of run --repeat keeps the seeds that are finished, which compare with a whole result", async () => {
  const part = path("part.json");
  const many = ["run", "small.yaml", ...quick, "--repeat", "1000", "--export", `json=${part}`];
  const { code, err } = await interruptedAfter(1500, many);
  expect(code).toBe(130);
  const { repetitions, interrupted } = saved(part);
  const count = repetitions!.seeds.length;
  expect(count).toBeLessThan(1000);
  expect(interrupted).toBe(false);
  expect(err).toContain(`interrupted: ${count} of 1000 seeds of small.yaml are kept\n`);
  for (const values of Object.values(repetitions!.metrics)) expect(values).toHaveLength(count);
  const { file } = await exported("after.json", "--repeat", String(Math.min(count, 4)));
  const compared = await moecast(["compare", part, file, "--max-regress", "0%"]);
  expect([compared.code, compared.out]).toEqual([0, expect.not.stringMatching(/worse|better/)]);
}, 60_000);

test("half the memory bandwidth is a regression: worse beyond the interval, and exit 99", async () => {
  const { out } = await moecast(["hardware", "show", "h100-sxm", "--json"]);
  const device = JSON.parse(out);
  device.id = "half-memory";
  device.memory.bytesPerSecond.value /= 2;
  device.achieved.memoryBytesPerSecond.value /= 2;
  const profile = write("half-memory.json", JSON.stringify(device));
  const bundled = join(import.meta.dirname, "..", "..", "scenarios", "ci", "pass.yaml");
  const of = async (name: string, ...words: readonly string[]) => {
    const short = ["run", bundled, "--set", "traffic.requests=120", ...quick, "--export", `json=${path(name)}`];
    expect((await moecast([...short, ...words])).code).toBe(0);
    return path(name);
  };
  const [base, half] = [await of("whole.json"), await of("half.json", "--set", `hardware.device.file=${profile}`)];
  const compared = await moecast(["compare", base, half, "--max-regress", "5%", "--json"]);
  expect(compared.code).toBe(99);
  const { metrics, otherDraws } = (JSON.parse(compared.out) as Comparison).scenarios[0]!.against[0]!;
  expect(otherDraws).toEqual([]);
  const tpot = metrics.find(({ metric }) => metric === "tpot.p50")!;
  expect(tpot).toMatchObject({ verdict: "worse", regressed: true });
  // Decoding reads memory for most of a step: its time is up by a half to all of it, far beyond the interval.
  expect(tpot.relative).toBeGreaterThan(0.5);
  expect(tpot.relative).toBeLessThan(1.1);
  expect(tpot.halfWidth).toBeLessThan(tpot.difference! / 2);
  expect((await moecast(["compare", half, base, "--max-regress", "5%"])).code).toBe(0);
});
