import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const trace = join(import.meta.dirname, "..", "..", "scenarios", "traces", "gpt-oss-20b.safetensors");
const scenario = path("ep8.yaml");
const sglang = path("map.json");

const map = (...words: string[]) => moecast(["map", ...words]);
const of = ["--model", "gpt-oss-20b", "--ranks", "8"];

beforeAll(async () => {
  writeFileSync(
    scenario,
    `version: 1
name: ep8
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 4096 }
parallel: { tp: 1, dp: 8, ep: 8 }
traffic: { kind: generated, requests: 1, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 9 }, osl: { kind: fixed, tokens: 2 } }
routing: { kind: trace, file: "\${TRACE}" }
policy: { placement: { kind: eplb, redundant: 8 } }
`,
  );
  const made = await map("export", scenario, "--param", `TRACE=${trace}`, "--to", "sglang", "-o", sglang);
  expect([made.code, made.err]).toEqual([0, ""]);
  expect(made.out).toContain(`--init-expert-location ${sglang} --ep-num-redundant-experts 8 --ep-size 8`);
}, 60_000);

describe("map inspect", () => {
  test("says what a map holds and how it spreads a trace, beside the contiguous map", async () => {
    const { code, out } = await map("inspect", sglang, ...of, "--trace", trace, "--json");
    expect(code).toBe(0);
    const found = JSON.parse(out);
    expect(found).toMatchObject({
      format: "sglang",
      layers: 24,
      experts: 32,
      slots: 40,
      ranks: 8,
      slotsPerRank: 5,
      redundant: 8,
      empty: 0,
    });
    expect(found.balance.map.balancedness).toBeGreaterThan(found.balance.contiguous.balancedness);
    expect(found.balance.map.maxOverMean).toBeLessThan(1.1);
    // The same figure as the statistics of the trace, which know no maps.
    const stats = JSON.parse((await moecast(["trace", "stats", trace, "--ranks", "8", "--json"])).out);
    const ratios: number[] = stats.layers.map((layer: { rankMaxOverMean: number }) => layer.rankMaxOverMean);
    const { maxOverMean, worst } = found.balance.contiguous;
    expect(ratios.reduce((sum, one) => sum + one, 0) / ratios.length).toBeCloseTo(maxOverMean, 9);
    expect(worst.maxOverMean).toBeCloseTo(Math.max(...ratios), 9);
    expect(ratios[worst.layer]).toBeCloseTo(worst.maxOverMean, 9);
    const text = (await map("inspect", sglang, ...of, "--trace", trace)).out;
    expect(text).toMatch(/40 a layer, 8 ranks of 5/);
    expect(text).toMatch(/this map +0\.9\d+ /);
  });

  test("counts what has to be sent from one map to another, and nothing to itself", async () => {
    const moves = async (from: string) =>
      JSON.parse((await map("inspect", sglang, ...of, "--from", from, "--json")).out).moves;
    expect(await moves(sglang)).toEqual({ moved: 0, of: 24 * 40, bytes: 0 });
    const linear = path("linear.json");
    await map(
      "export",
      scenario,
      "--param",
      `TRACE=${trace}`,
      "--set",
      "policy.placement=null",
      "--to",
      "sglang",
      "-o",
      linear,
    );
    const { moved, bytes } = await moves(linear);
    expect(moved).toBeGreaterThan(24 * 8);
    expect(bytes / moved).toBeGreaterThan(1e6);
  });

  test("words that do not fit are usage, files that do not are input", async () => {
    expect((await map("inspect", sglang)).code).toBe(2);
    expect((await map("inspect", sglang, "--model", "gpt-oss-20b", "--trace", trace)).err).toContain("need --ranks");
    expect((await map("inspect", sglang, ...of, "--domain", "x")).code).toBe(2);
    const other = await map("inspect", sglang, "--model", "mixtral-8x7b");
    expect(other.code).toBe(3);
    expect(other.err).toContain(
      `${sglang}: physical_to_logical_map: expected a row for each of the model's 32 layers, found "24 rows"`,
    );
    const broken = path("broken.json");
    writeFileSync(broken, readFileSync(sglang, "utf8").slice(0, 500));
    expect((await map("inspect", broken, ...of)).code).toBe(3);
  });
});

describe("map convert", () => {
  test("gives what export gives, and comes back the same", async () => {
    const yaml = path("moe_load_balancer.yaml");
    const { code, out } = await map("convert", sglang, ...of, "--to", "tensorrt-llm", "-o", yaml);
    expect(code).toBe(0);
    expect(out).toContain(`load_balancer: ${yaml}`);
    const direct = path("direct.yaml");
    await map("export", scenario, "--param", `TRACE=${trace}`, "--to", "tensorrt-llm", "-o", direct);
    expect(readFileSync(yaml, "utf8")).toBe(readFileSync(direct, "utf8"));
    const back = path("back.json");
    await map("convert", yaml, ...of, "--to", "sglang", "-o", back);
    expect(readFileSync(back, "utf8")).toBe(readFileSync(sglang, "utf8"));
  });

  test("refuses what the other format cannot state, and writes nothing", async () => {
    const flags = path("flags.txt");
    const { code, err } = await map("convert", sglang, ...of, "--to", "vllm", "-o", flags);
    expect(code).toBe(3);
    expect(err).toContain("vLLM takes no file of any other");
    expect(() => readFileSync(flags)).toThrow();
    expect((await map("convert", sglang, ...of, "--to", "sglang", "-o", path("map.txt"))).err).toContain(
      "ends in .json",
    );
    expect((await map("convert", sglang, ...of, "--to", "best", "-o", path("x"))).code).toBe(2);
  });
});
