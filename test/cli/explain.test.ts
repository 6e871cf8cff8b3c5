import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Explanation } from "../../src/forecast/explain/explanation.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const shipped = join(import.meta.dirname, "..", "..", "scenarios");
const few = ["--set", "traffic.requests=12"];
let scenario = "";
let result = "";

beforeAll(async () => {
  scenario = path("quick.yaml");
  copyFileSync(join(shipped, "quickstart.yaml"), scenario);
  mkdirSync(path("traces"));
  copyFileSync(join(shipped, "traces", "gpt-oss-20b.safetensors"), path("traces/gpt-oss-20b.safetensors"));
  result = path("result.json");
  const { code } = await moecast([
    "run",
    scenario,
    ...few,
    "--no-advice",
    "-q",
    "--no-thresholds",
    "--export",
    `json=${result}`,
  ]);
  expect(code).toBe(0);
}, 60_000);

const explain = (...words: string[]) => moecast(["explain", ...words, "-q"]);
const read = (out: string) => JSON.parse(out) as Explanation;
const sum = (values: readonly { readonly ns: number }[]) => values.reduce((total, { ns }) => total + ns, 0);

describe("explain", () => {
  test("a result is run again with what was laid over it, comes out the same, and its times add up", async () => {
    const { code, out, err } = await explain(result, "--no-ideals", "--json");
    expect([code, err]).toEqual([0, ""]);
    const explanation = read(out);
    expect(explanation).toMatchObject({
      kind: "explanation",
      schemaVersion: 1,
      reproduction: { same: true, differing: [] },
      helps: null,
      counted: 12,
    });
    expect(explanation.requests.map(({ at }) => at)).toEqual([0.5, 0.99]);
    for (const { spanNs, phases } of explanation.requests) {
      expect(sum(phases)).toBe(spanNs);
      for (const { parts, ns } of phases) if (parts.length > 0) expect(sum(parts)).toBe(ns);
    }
    expect((await explain(result, "--no-ideals", "--json")).out).toBe(out);
  });

  test("a percentile and a latency are asked for, or requests by number", async () => {
    const ttft = read((await explain(scenario, ...few, "--no-ideals", "--json", "--metric", "ttft", "--p", "90")).out);
    expect(ttft.metric).toBe("ttft");
    expect(ttft.requests.map(({ at }) => at)).toEqual([0.5, 0.9]);
    for (const { spanNs, valueNs } of ttft.requests) expect(spanNs).toBe(valueNs);
    const named = read(
      (await explain(scenario, ...few, "--no-ideals", "--json", "--request", "3", "--request", "5")).out,
    );
    expect(named.requests.map(({ request, at }) => [request, at])).toEqual([
      [3, null],
      [5, null],
    ]);
    const beyond = await explain(scenario, ...few, "--no-ideals", "--request", "12");
    expect([beyond.code, beyond.err]).toEqual([3, expect.stringContaining("a request from 0 to 11")]);
  });

  test("what would help is ranked, each with what can be had, and the last sentence is a command", async () => {
    const markdown = path("explained.md");
    const { code, out } = await explain(result, "--markdown", markdown);
    expect(code).toBe(0);
    expect(out).toMatch(/What would help .*over all 12 requests/u);
    expect(out).toMatch(/Next: moecast run .*quick\.yaml\s+--set\s+traffic\.requests=12\s+--set\s/u);
    expect(readFileSync(markdown, "utf8")).toContain("Where the time goes");
    const { helps } = read((await explain(result, "--json")).out);
    const gains = helps!.ideals.map(({ effect }) => effect.gain);
    expect(gains).toEqual([...gains].sort((a, b) => b - a));
    for (const { purchase, noPurchase } of helps!.ideals)
      expect((purchase === null) !== (noPurchase === null)).toBe(true);
  });

  test("another scenario than the result's is refused by its digest, unless differences are accepted", async () => {
    const other = write("other.yaml", `${readFileSync(scenario, "utf8")}\n# changed\n`);
    const refused = await explain(result, "--scenario", other, "--no-ideals");
    expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("--accept-differences")]);
    const accepted = read(
      (await explain(result, "--scenario", other, "--no-ideals", "--json", "--accept-differences")).out,
    );
    expect(accepted.reproduction).toMatchObject({ same: true });
    const slower = write(
      "slower.yaml",
      readFileSync(scenario, "utf8").replace("gpuMemoryUtilization: 0.93", "gpuMemoryUtilization: 0.935"),
    );
    const differs = read(
      (await explain(result, "--scenario", slower, "--no-ideals", "--json", "--accept-differences")).out,
    );
    expect(differs.reproduction!.moecastVersion).toBe(differs.moecastVersion);
  });

  test("inputs other than the result's are refused by name, figures that do not come out again are named", async () => {
    const edited = JSON.parse(readFileSync(result, "utf8")) as {
      inputs: { role: string; sha256: string }[];
      latency: { ttft: { p50: number } };
    };
    edited.inputs.find(({ role }) => role === "routing")!.sha256 = "0".repeat(64);
    edited.latency.ttft.p50 += 1;
    const file = write("edited.json", JSON.stringify(edited));
    const refused = await explain(file, "--scenario", scenario, "--no-ideals");
    expect([refused.code, refused.err]).toEqual([
      3,
      expect.stringMatching(/found "routing gpt-oss-20b .* has sha256/u),
    ]);
    const accepted = await explain(file, "--scenario", scenario, "--no-ideals", "--accept-differences");
    expect(accepted.out).toMatch(/does not come out again.*latency\.ttft\.p50/su);
  });

  test("what is no result is said, with its place", async () => {
    const text = readFileSync(result, "utf8");
    for (const [name, content, expected] of [
      ["plan.json", '{"kind": "plan", "schemaVersion": 1}', /kind.*forecast/su],
      ["list.json", `[${text},${text}]`, /the result of one scenario/u],
      ["empty.json", "", /empty\.json/u],
      ["cut.json", text.slice(0, 400), /cut\.json/u],
    ] as const) {
      const { code, err } = await explain(write(name, content));
      expect([name, code, expected.test(err)]).toEqual([name, 3, true]);
    }
    const gone = await explain(path("nothing.json"));
    expect(gone.code).toBe(3);
    const moved = JSON.parse(text) as { scenario: { file: string } };
    moved.scenario.file = "/nowhere/\u001b[31mgone\u202e.yaml";
    const lost = await explain(write("lost.json", JSON.stringify(moved)));
    expect([lost.code, lost.err]).toEqual([3, expect.stringContaining("--scenario FILE")]);
    for (const hidden of ["\u001b", "\u202e"]) expect(lost.err.includes(hidden)).toBe(false);
    for (const words of [["--p", "0"], ["--p", "x"], ["--metric", "itl"], ["--mkdir"]])
      expect((await explain(scenario, ...words)).code).toBe(2);
  });
});
