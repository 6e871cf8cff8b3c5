import { expect, test } from "vitest";
import { modelNamed } from "../../src/models/catalogue.ts";
import { parametricFigures, uniformFigures } from "../../src/resolve/preset-routing.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { moeLayers } from "../../src/sim/step/stage-plan.ts";
import { further } from "../drawn.ts";

const text = (model: string, routing: string) => `version: 1
name: presets
model: { id: ${model} }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 512 }
parallel: { tp: 8 }
traffic: { kind: generated, requests: 5, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 50 }, osl: { kind: fixed, tokens: 4 } }
routing: ${routing}
`;
const parse = (model: string, routing: string) => parseScenario(text(model, routing), "test.yaml");

function parametric(id: string, keys: string) {
  const scenario = parse(id, `{ kind: parametric${keys} }`);
  const model = modelNamed(id);
  if (scenario.routing.kind !== "parametric") throw new Error("not parametric");
  return parametricFigures(scenario, scenario.routing, model, moeLayers(model)[0]!);
}

test("what a scenario leaves out is the preset of the model's family, and the ledger says so", () => {
  const { popularity, reuse, laterReuse, fade, ledger } = parametric("gpt-oss-20b", "");
  expect(popularity).toEqual({ popularityCv: 0.9 });
  expect(reuse).toBe(0.438);
  // Half of what goes beyond popularity lasts.
  expect(laterReuse).toBeCloseTo(0.327, 3);
  expect(fade).toBe(0.8);
  expect(ledger).toEqual([
    {
      topic: "routing preset",
      fidelity: "fitted",
      detail: "popularityCv 0.9, reuse 43.8%, laterReuse 32.7%: as recorded of gpt-oss with 32 experts, top-4",
    },
  ]);
});

test("what it states goes before the preset, and is not in the ledger", () => {
  const stated = parametric("gpt-oss-20b", ", skew: 0.5, reuse: 0.3, laterReuse: 0.2");
  expect(stated).toMatchObject({ popularity: { skew: 0.5 }, reuse: 0.3, laterReuse: 0.2, ledger: [] });
  const [entry] = parametric("gpt-oss-20b", ", popularityCv: 0.4, reuse: 0.3").ledger;
  expect(entry?.detail).toMatch(/^laterReuse [\d.]+%: as recorded of gpt-oss/);
  expect(parametric("gpt-oss-20b", ", skew: 0, reuse: 0").ledger).toEqual([]);
});

test("a guess says that it is one, and another shape that it was carried over", () => {
  const guess = parametric("deepseek-v3", "").ledger[0];
  expect(guess?.fidelity).toBe("assumed");
  expect(guess?.detail).toBe(
    "popularityCv 0.9, reuse 39.0%, laterReuse 22.0%: as models balanced over whole batches or by a bias; " +
      "a guess, for no popularity or reuse of deepseek_v3 is recorded: state it or replay a trace",
  );
  expect(parametric("olmoe-1b-7b", "").ledger[0]?.detail).toContain("a guess, for no reuse of olmoe is recorded");
  const carried = parametric("gpt-oss-120b", "").ledger[0];
  expect(carried?.fidelity).toBe("assumed");
  expect(carried?.detail).toContain("carried over to 128, top-4");
});

test("reuse never lies below what popularity alone gives, unless it is stated", () => {
  expect(parametric("mixtral-8x7b", ", skew: 2").reuse).toBeGreaterThan(0.4);
  expect(parametric("mixtral-8x7b", ", skew: 2, reuse: 0.3").reuse).toBe(0.3);
});

test("skew and popularityCv exclude each other", () => {
  expect(() => parametric("gpt-oss-20b", ", skew: 0.5, popularityCv: 0.5")).toThrow("either skew or popularityCv");
});

test("expected loads take their variation from the preset too; models without experts have none", async () => {
  const config = async (model: string, routing: string) => {
    const { config, ledger } = await resolveScenario(parse(model, routing), {
      readText: () => Promise.reject(new Error("no file was expected")),
    });
    return { routing: config.routing, topics: ledger.map(({ topic }) => topic) };
  };
  const preset = await config("mixtral-8x7b", "{ kind: uniform }");
  expect(preset.routing).toEqual({ kind: "uniform", popularityCv: 0.3 });
  expect(preset.topics).toContain("routing preset");
  const stated = await config("mixtral-8x7b", "{ kind: uniform, popularityCv: 0 }");
  expect(stated.routing).toEqual({ kind: "uniform", popularityCv: 0 });
  expect(stated.topics).not.toContain("routing preset");
  const dense = uniformFigures({ kind: "uniform" }, modelNamed("mixtral-8x7b"), null);
  expect(dense).toEqual({ popularityCv: 0, ledger: [] });
});

test("choices lie in groups as the router has them, unless a scenario says otherwise", async () => {
  const groupsTouched = async (model: string, keys: string) => {
    const scenario = text(model, `{ kind: parametric, rows: 100${keys} }`);
    const onAscend = scenario.replace("h100-sxm-8", "ascend-800i-a2-8").replace("id: vllm", "id: vllm-ascend");
    const { config } = await resolveScenario(
      parseScenario(model === "deepseek-v3" ? scenario.replace("tp: 8", "tp: 8, pp: 2") : onAscend, "test.yaml"),
      { readText: () => Promise.reject(new Error("no file is read")) },
    );
    const { routing } = config;
    if (routing.kind !== "replay") throw new Error("nothing is replayed");
    const { ids, topK, experts } = routing.table;
    const numbers = new Set<number>();
    for (let at = 0; at < ids.length; at += topK)
      numbers.add(new Set([...ids.subarray(at, at + topK)].map((expert) => Math.floor((expert * 8) / experts))).size);
    return { most: Math.max(...numbers), least: Math.min(...numbers), notes: routing.table.origin.notes.join() };
  };
  const own = await groupsTouched("deepseek-v3", "");
  expect(own.most).toBe(4);
  expect(own.notes).toContain("lie in 4 of 8 groups");
  const each = { most: 8, least: 8 };
  expect(await groupsTouched("pangu-pro-moe", "")).toMatchObject(each);
  expect((await groupsTouched("pangu-pro-moe", ", grouped: false")).least).toBeLessThan(7);
  for (const model of further(["deepseek-v3"])) {
    expect((await groupsTouched(model, ", grouped: false")).most).toBeGreaterThan(5);
    expect(await groupsTouched(model, ", grouped: true")).toMatchObject(each);
  }
});
