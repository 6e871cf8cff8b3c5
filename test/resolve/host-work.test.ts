import { expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { engineNamed } from "../../src/engine/catalogue.ts";
import type { FlaggedSplit, HostSide } from "../../src/engine/offload-flags/offload-flags.ts";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { flagSizes } from "../../src/offload/flags/flag-sizes.ts";
import { hostWorkEntry, hostWorkOf } from "../../src/resolve/host-work.ts";
import { settingsOfFlags } from "../../src/resolve/offload-flags.ts";
import { schedulerOf } from "../../src/resolve/resolve-engine.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { singleDevice, testConfig, testNode, tinyMla, tinyModel } from "../sim/build.ts";

const split = (host: HostSide): FlaggedSplit => ({
  chosen: { kind: "named", resident: new Uint8Array(), hostMatrices: [] },
  host,
  deviceFrom: 32,
  deferred: 0,
  unread: [],
});
const half = { layers: 2, head: false, allCaches: false };
const caches = { layers: 0, head: false, allCaches: true };
const sparse = { ...tinyMla, indexer: { heads: 4, headDim: 32, topTokens: 16 } };
/** The last layer attends sparsely. */
const mixed = tinyModel();
const model = {
  ...mixed,
  layers: mixed.layers.map((layer, at) => (at === 3 ? { ...layer, attention: sparse } : layer)),
};

test.each([
  [
    "a host that has no memory of its own",
    half,
    { node: testNode({ hostLink: null }) },
    /has the host's memory as its own/,
  ],
  ["several devices", half, { mapping: { ...singleDevice, pp: 2 } }, /one device is simulated, not 2/],
  ["several replicas", caches, { replicas: 2 }, /2 replicas that share/],
  ["pools that hand over", caches, { role: "decode" as const }, /not handed over/],
  ["attention that no kernel is known of", caches, { model }, /sparse latent attention on the host/],
])("layers and caches on the host are refused with %s", (_, host, parts, message) => {
  const asked = () => hostWorkOf(split(host), testConfig(parts), "-ngl 3");
  expect(asked).toThrow(InvalidInputError);
  expect(asked).toThrow(message);
});

test("layers that attend otherwise may be the device's", () => {
  expect(hostWorkOf(split(half), testConfig({ model }), "-ngl 3")).toEqual({ ...half, deviceFrom: 32 });
});

test("the ledger says what is assumed", () => {
  const { topic, fidelity, detail } = hostWorkEntry({ ...half, deviceFrom: 32 });
  expect({ topic, fidelity }).toEqual({ topic: "layers on the host", fidelity: "assumed" });
  expect(detail).toMatch(/^the first 2 layers with their caches: timed by .*for steps of 32 tokens and more/);
  expect(hostWorkEntry({ ...caches, deviceFrom: null }).detail).toMatch(/^caches and scores of all layers: timed/);
});

test.each([
  ["maxModelLen: 4096, maxNumSeqs: 2", { contexts: 2, tokensMin: 4096 }],
  // Slots that nobody counted share one cache.
  ["maxModelLen: 4096", { contexts: 1, tokensMin: 4096 }],
  // A context that nobody gave is lowered to what fits.
  ["maxNumSeqs: 2", { contexts: 1, tokensMin: 4096 }],
])("llama.cpp with {%s} sets aside its context at start, and vLLM none", (keys, reserved) => {
  const { engine } = parseScenario(
    `version: 1
name: context
model: { id: gpt-oss-20b }
hardware: { system: rtx4090-desktop }
engine: { id: llama.cpp, ${keys} }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric }
`,
    "context.yaml",
  );
  const long = { ...tinyModel(), contextTokensMax: 131_072 };
  expect(schedulerOf(engine, engineNamed("llama.cpp"), long, {}).reserved).toEqual(reserved);
  expect(schedulerOf(engine, engineNamed("vllm"), long, {}).reserved).toBeUndefined();
});

test("what no key says is compared with other flags, all of whose layers are on the device", () => {
  const olmoe = modelNamed("olmoe-1b-7b");
  const served = testConfig({ model: olmoe, engine: engineNamed("llama.cpp") });
  const settings = (flags: string) =>
    settingsOfFlags({ ...({ kind: "static" } as Parameters<typeof settingsOfFlags>[0]), flags }, served).split;
  for (const flags of ["-ngl 12", "-nkvo", "-ot ffn_down_exps=CPU"]) expect(settings(flags)).toBeNull();
  expect(settings("--n-cpu-moe 4")).toContain("policy.offload.flags=null");
  const sizes = ["--cpu-moe", "--n-cpu-moe 14", "--n-cpu-moe 12", "--n-cpu-moe 10", "--n-cpu-moe 8"];
  const smaller = ["--n-cpu-moe 6", "--n-cpu-moe 4", "--n-cpu-moe 2"];
  expect(flagSizes("-ngl 12", olmoe, "llama.cpp")).toEqual([...sizes, ...smaller]);
  expect(flagSizes("-ot ffn_(up|gate)_exps=CPU", olmoe, "llama.cpp")).toEqual([...sizes, ...smaller]);
  // Where the cache is stays.
  expect(flagSizes("-nkvo", olmoe, "llama.cpp")).toContain("--no-kv-offload --n-cpu-moe 8");
});

test("the systems of people's machines have what layers on the host need", () => {
  for (const system of ["rtx4090-desktop", "rtx3060-desktop", "rtx3090-desktop", "rtx4070-desktop"])
    expect(hostWorkOf(split(half), testConfig({ node: nodeNamed(system) }), "-ngl 3")).toBeDefined();
});
