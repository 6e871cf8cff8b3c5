import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { type Rewriting, rewriteScenario } from "../../src/scenario/rewrite-scenario.ts";
import { sectionsOf } from "../../src/scenario/sections-of.ts";

const text = `# yaml-language-server: $schema=../schema/scenario.schema.json
# Why this is asked.
version: 1
name: base
description: before
params: { DATA: null, MODEL: config.json }
model: { file: "\${MODEL}" } # the model
hardware: { system: h100-sxm-8 }
engine: { id: vllm }
traffic:
  kind: trace
  # recorded in spring
  format: azure
  file: "\${DATA}/conv.csv"
routing: { kind: uniform }
slo: { ttft: p(99)<1s }
plan: { objectives: [devices] }
sweep: { matrix: { seed: [1, 2] } }
`;
const file = join("scenarios", "base.yaml");
const rewriting: Rewriting = {
  settings: ["parallel={tp: 2}", "plan.budget.devices=8"],
  params: { DATA: "data" },
  target: join("out", "deep", "001.yaml"),
  name: "base-001",
  description: "2 devices",
  without: ["plan", "sweep"],
  comment: ["Found by a plan."],
};
const written = (some: Partial<Rewriting> = {}, of = text) => rewriteScenario(of, file, { ...rewriting, ...some });

describe("a scenario that is written anew", () => {
  test("states the same with the settings in it, and keeps its comments", () => {
    const out = written();
    const anew = parseScenario(out, rewriting.target);
    const before = parseScenario(text, file, { settings: ["parallel={tp: 2}"], params: rewriting.params });
    for (const key of ["hardware", "engine", "parallel", "routing", "slo", "seed"] as const)
      expect(anew[key]).toEqual(before[key]);
    expect([anew.name, anew.description]).toEqual(["base-001", "2 devices"]);
    for (const key of ["plan", "sweep", "params"] as const) expect(anew[key]).toBeUndefined();
    for (const comment of ["# Found by a plan.", "# Why this is asked.", "# the model", "# recorded in spring"])
      expect(out).toContain(comment);
    // The schema lies elsewhere from there.
    expect(out).not.toContain("yaml-language-server");
  });

  test.each(["out/deep/001.yaml", "001.yaml", "scenarios/001.yaml", "../beside/001.yaml", resolve("/tmp/x/001.yaml")])(
    "its paths lead to the same files from %s",
    (target) => {
      const { model, traffic } = parseScenario(written({ target }), target);
      const from = (path: string) => relative(".", resolve(target, "..", path));
      expect(from(model.file!)).toBe(join("scenarios", "config.json"));
      expect(from((traffic as { file: string }).file)).toBe(join("scenarios", "data", "conv.csv"));
    },
  );

  test("absolute paths stay, and parameters without a value are refused", () => {
    const absolute = resolve("/data/elsewhere");
    const { traffic } = parseScenario(written({ params: { DATA: absolute } }), rewriting.target);
    expect((traffic as { file: string }).file).toBe(`${absolute}/conv.csv`);
    expect(() => written({ params: {} })).toThrow("DATA");
  });

  test("names, descriptions and comments of any kind do nothing but stand there", () => {
    for (const hostile of [
      "a\nseed: 7",
      "x: {y",
      "*a",
      "&a",
      "!!js/function",
      "# no",
      "--- ",
      "null",
      "true",
      "1e3",
      "'\"`$(rm)",
      "\u2028\u0085 end",
      "- a",
      "$" + "{DATA}",
    ]) {
      const description = hostile;
      const comment = [hostile];
      const anew = parseScenario(written({ description, comment }), rewriting.target);
      expect([anew.description, anew.seed]).toEqual([hostile, 1]);
    }
  });

  test("is the same when it is written once more to the same place", () => {
    const out = written({ comment: [] });
    const twice = rewriteScenario(out, rewriting.target, { ...rewriting, settings: [], params: {}, comment: [] });
    expect(parseScenario(twice, rewriting.target)).toMatchObject(
      JSON.parse(JSON.stringify({ ...parseScenario(out, rewriting.target), sha256: undefined, overrides: undefined })),
    );
  });

  test("settings that do not apply are refused", () => {
    expect(() => written({ settings: ["version.x.y=1"] })).toThrow("version");
  });
});

describe("sections of another scenario", () => {
  const other = `version: 1
name: other
model: { id: gpt-oss-20b }
hardware: { system: h200-sxm-8 }
engine: { id: sglang }
traffic: { kind: generated, requests: 5, arrivals: { kind: poisson, requestRate: 1/s }, isl: { kind: fixed, tokens: 9 }, osl: { kind: fixed, tokens: 9 } }
routing: { kind: uniform }
`;

  test("face it with the question: its traffic and SLOs, as text and settings state them, whatever it had", () => {
    const settings = sectionsOf(text, file, { settings: ["slo.tpot=mean<9ms", "seed=5"], params: { DATA: "data" } }, [
      "traffic",
      "slo",
      "seed",
      "warmup",
    ]);
    const faced = parseScenario(other, join("elsewhere", "other.yaml"), { settings });
    expect(faced.seed).toBe(5);
    expect(faced.slo!.thresholds.map(({ text: slo }) => slo)).toEqual(["p(99)<1s", "mean<9ms"]);
    expect(faced.traffic).toMatchObject({ kind: "trace", file: resolve("scenarios", "data", "conv.csv") });
    expect([faced.hardware.system, faced.engine.id, faced.name]).toEqual(["h200-sxm-8", "sglang", "other"]);
  });
});
