import { describe, expect, test } from "vitest";
import { sha256 } from "../../src/core/digest.ts";
import { InvalidInputError } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { feedForwardProgram } from "../../src/sim/step/feed-forward-program.ts";

/** OLMoE: 16 layers of 64 experts, each of 3 x 2048 x 1024 values. */
const scenario = (bits: string, more: { policy?: string; parallel?: string; model?: string } = {}) => `version: 1
name: bits
model: { ${more.model ?? "id: olmoe-1b-7b"}, dtypes: {experts: int4}, expertBits: ${bits} }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 2, maxNumBatchedTokens: 64 }
parallel: { ${more.parallel ?? "tp: 2, ep: 2"} }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 20 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: uniform }
${more.policy === undefined ? "" : `policy: { ${more.policy} }`}
`;
const values = 3 * 2048 * 1024;
const listOf = (of: (layer: number) => number, layers = 16) =>
  JSON.stringify(Array.from({ length: layers }, (_, l) => of(l)));

const resolved = async (text: string, file?: string) =>
  resolveScenario(parseScenario(text, "test.yaml"), {
    readText: () => (file === undefined ? Promise.reject(new Error("no such file")) : Promise.resolve(file)),
  });
const run = async (bits: string, more = {}) => simulate((await resolved(scenario(bits, more))).config);
const expertsIn = (memory: { tiers: readonly { items: readonly { name: string; bytes: number }[] }[] }) =>
  memory.tiers[0]!.items.find(({ name }) => name.startsWith("routed experts"))!.bytes;
const messageOf = async (text: string, file?: string) => {
  const error: unknown = await resolved(text, file).catch((thrown: unknown) => thrown);
  if (!(error instanceof InvalidInputError)) throw error;
  return error.message;
};

const dense = JSON.stringify({
  model_type: "qwen3",
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  intermediate_size: 128,
  vocab_size: 100,
  max_position_embeddings: 512,
  hidden_act: "silu",
  torch_dtype: "bfloat16",
  tie_word_embeddings: false,
});

describe("bits of experts by layer", () => {
  test("a list of equal numbers is the number, byte for byte", async () => {
    const [one, list] = [await run("4.25"), await run(listOf(() => 4.25))];
    expect(JSON.stringify(list)).toBe(JSON.stringify(one));
  });

  test("a rank holds half of the experts of each layer at its own bits, and a kernel reads them so", async () => {
    const { config } = await resolved(scenario(listOf((layer) => 2 + (layer % 4))));
    const result = simulate(config);
    const layers = Array.from({ length: 16 }, (_, layer) => 32 * Math.ceil((values * (2 + (layer % 4))) / 8));
    expect(expertsIn(result.memory)).toBe(layers.reduce((sum, bytes) => sum + bytes, 0));
    const read = config.model.layers.map(({ feedForward }) => {
      const program = feedForwardProgram(feedForward, config);
      return program.kind === "moe" ? program.experts.bytesPerWeight : null;
    });
    expect(read).toEqual(Array.from({ length: 16 }, (_, layer) => (2 + (layer % 4)) / 8));
  });

  test("the fullest stage has the layers with most bits, and one with fewer bits is quicker", async () => {
    const parallel = "tp: 1, ep: 1, pp: 2";
    const uneven = await run(
      listOf((layer) => (layer < 8 ? 2 : 8)),
      { parallel },
    );
    expect(expertsIn(uneven.memory)).toBe(8 * 64 * values);
    const even = await run("8", { parallel });
    const last = ({ requests }: typeof even) => Math.max(...requests.lastTokenNs);
    expect(last(uneven)).toBeLessThan(last(even));
  });

  test("a file of moecast model bits gives each layer its average with the scale of each group", async () => {
    const bits = Array.from({ length: 16 }, (_, layer) =>
      Array.from({ length: 64 }, (_e, e) => 1 + ((layer + e) % 2) + Number(layer > 7)),
    );
    const text = JSON.stringify({ group: 128, bits });
    const { config, inputs, ledger } = await resolved(scenario("bits.json"), text);
    expect(config.weightBits?.experts).toBe(2.125);
    expect(
      config.model.layers.map(({ feedForward }) => (feedForward.kind === "moe" ? feedForward.expertBits : 0)),
    ).toEqual(Array.from({ length: 16 }, (_, layer) => (layer > 7 ? 2.625 : 1.625)));
    expect(inputs).toContainEqual({ role: "bits of experts", name: "bits.json", sha256: sha256(text) });
    expect(ledger.find(({ topic }) => topic === "formats")?.detail).toContain(
      "1.625 to 2.625 bits per value of experts, by layer; of a layer they are simulated at its average",
    );
  });

  test.each([
    ["[4, 4]", {}, undefined, "expertBits: expected one for each of the 16 layers"],
    ["0.1", {}, undefined, "expertBits"],
    ["[4, 64]", {}, undefined, "expertBits"],
    ["4.25", { model: "file: config.json", parallel: "tp: 1" }, dense, "no bits of experts"],
    ["bits.json", {}, "{}", "bits.json: bits: expected a list for each layer"],
    ["bits.json", {}, '{"bits": [[1]]}', "group: expected values that share"],
    ["bits.json", {}, '{"bits": [[1]], "group": 128}', "bits[0]: expected a width for each of 64 experts, found 1"],
    [
      listOf((layer) => 2 + layer),
      { policy: "offload: { kind: lru, slots: 4 }", parallel: "tp: 1" },
      undefined,
      "policy.offload: expected none",
    ],
    [
      listOf((layer) => 2 + layer),
      { policy: "placement: { kind: lpt, memory: [20GB, 20GB] }" },
      undefined,
      "policy.placement.memory: expected none",
    ],
  ])("%s with %j is refused", async (bits, more, file, message) => {
    expect(await messageOf(scenario(bits, more), file)).toContain(message);
  });
});
