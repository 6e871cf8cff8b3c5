import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { longcat } from "../models/structure-configs.ts";
import { testRouting } from "../sim/build.ts";
import { temporaryFolder } from "../trace/routing-files.ts";

const folder = temporaryFolder();

/** Two layers of LongCat-Flash, with twelve experts and six that return their input. */
const config = { ...longcat, hidden_size: 512, num_layers: 2, n_routed_experts: 12, zero_expert_num: 6, moe_topk: 3 };

const scenario = (routing: string, policy = "") => `version: 1
name: zero-experts
model: { file: longcat/config.json }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 4096, maxNumSeqs: 8, maxNumBatchedTokens: 512 }
parallel: { tp: 2, dp: 1, ep: 2 }
traffic: { kind: generated, requests: 4, arrivals: { kind: closed, maxConcurrency: 2 }, isl: { kind: fixed, tokens: 50 }, osl: { kind: fixed, tokens: 20 } }
routing: { ${routing} }
${policy}`;

const reader = { readText: () => Promise.resolve(JSON.stringify(config)) };
const resolved = (routing: string, policy?: string) =>
  resolveScenario(parseScenario(scenario(routing, policy), "test.yaml"), reader);

async function trace(experts: number): Promise<string> {
  const file = folder.path(`experts-${experts}.safetensors`);
  await saveRoutingTable(testRouting(2, experts, 3), "longcat", file);
  return file;
}

const computed = 4 * (50 + 19);

describe("a model with experts that return their input", () => {
  test.each([
    ["synthesised", "kind: parametric, rows: 2000"],
    ["expected", "kind: uniform"],
  ])("takes %s routing", async (_name, routing) => {
    const { config: sim, ledger } = await resolved(routing);
    const result = simulate(sim);
    for (const { pairs, withoutExpert = 0 } of result.layers) expect(pairs + withoutExpert).toBe(computed * 3);
    expect(ledger).toContainEqual(
      expect.objectContaining({ topic: "model", detail: expect.stringMatching(/take no time/) }),
    );
  });

  test("loses a third of synthesised choices to them, and says so", async () => {
    const { config: sim } = await resolved("kind: parametric, rows: 4000");
    const { layers, ledger } = simulate(sim);
    const lost = layers.map(({ withoutExpert = 0 }) => withoutExpert / (computed * 3));
    expect(lost.reduce((sum, share) => sum + share, 0) / lost.length).toBeGreaterThan(0.2);
    expect(lost.reduce((sum, share) => sum + share, 0) / lost.length).toBeLessThan(0.46);
    expect(ledger).toContainEqual(
      expect.objectContaining({
        topic: "choices without an expert",
        detail: expect.stringMatching(/return their input/),
      }),
    );
  });

  test("replays a trace of all experts of its router, layer by layer of the file", async () => {
    const { config: sim } = await resolved(`kind: trace, file: ${await trace(18)}`);
    if (sim.routing.kind !== "replay") throw new Error("no replay");
    expect(sim.routing.table.experts).toBe(12);
    expect(sim.routing.layerMap).toEqual([0, 1]);
    expect(Math.max(...sim.routing.table.ids)).toBe(12);
    for (const { pairs, withoutExpert } of simulate(sim).layers) expect(pairs + withoutExpert!).toBe(computed * 3);
  });

  test("refuses a trace that lacks them, and says which experts it has", async () => {
    const error: unknown = await resolved(`kind: trace, file: ${await trace(12)}`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).problems).toEqual([
      expect.objectContaining({
        expected: "routing of 18 experts (12, and 6 that return their input), as the model has",
        found: expect.stringMatching(/^12 in /),
        hint: "if the recording did not say it: moecast trace import --experts 18",
      }),
    ]);
  });

  test("places its experts by counts that hold the others too", async () => {
    const file = await trace(18);
    const placed = async (fit: string) => {
      const policy = `policy: { placement: { kind: eplb, redundant: 2${fit} } }\n`;
      const { config: sim } = await resolved(`kind: trace, file: ${file}`, policy);
      return [...sim.placement!.logicalExperts];
    };
    expect(await placed(`, fit: { file: ${file} }`)).toEqual(await placed(""));
  });
});
