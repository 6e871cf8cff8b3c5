import { expect, test } from "vitest";
import { formatProblem, InfeasibleError, InvalidInputError } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";

interface Parts {
  readonly model?: string;
  readonly hardware?: string;
  readonly engine?: string;
  readonly routing?: string;
}

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const scenario = (rest: string, parts: Parts = {}) => `version: 1
name: hostile
model: { ${parts.model ?? "id: qwen3-30b-a3b"} }
hardware: { ${parts.hardware ?? "system: h100-sxm-8"} }
engine: { ${parts.engine ?? "id: vllm"} }
traffic: { kind: generated, requests: 4, arrivals: { kind: poisson, requestRate: 5/s }, isl: { kind: fixed, tokens: 100 }, osl: { kind: fixed, tokens: 10 } }
routing: { ${parts.routing ?? "kind: uniform"} }
${rest}
`;
const pools = (prefill = "", decode = "", rest = "") =>
  scenario(`pools:\n  - { name: p, role: prefill${prefill} }\n  - { name: d, role: decode${decode} }\n${rest}`);

/** What a scenario ends with: nothing where it runs, the lines of its problems, or what is infeasible. */
async function endOf(text: string, settings: readonly string[] = []): Promise<string> {
  try {
    simulate((await resolveScenario(parseScenario(text, "t.yaml", { settings: [...settings] }), noFiles)).config);
    return "";
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem).join("\n");
    if (error instanceof InfeasibleError) return `infeasible: ${error.message.split("\n")[0]}`;
    throw error;
  }
}

const cached = "model: { id: mixtral-8x7b, dtypes: { experts: int4 } }, policy: { offload: { kind: lru, slots: 2 } }";
const cache = (offload: string, hardware = "system: rtx4090-desktop") =>
  scenario(`policy: { offload: { ${offload} } }`, {
    model: "id: mixtral-8x7b, dtypes: { experts: int4 }",
    hardware,
    engine: "id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256",
    routing: "kind: parametric, skew: 0.2, reuse: 0.3, rows: 100",
  });
const replayed = (transforms: string) =>
  scenario("", {
    model: "id: gpt-oss-20b",
    routing: `kind: trace, file: scenarios/traces/gpt-oss-20b.safetensors, transforms: [${transforms}]`,
  });
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i).join(", ");
const named = (count: number) =>
  scenario(`pools: [${Array.from({ length: count }, (_, i) => `{ name: p${i} }`).join(", ")}]`);

const fine: readonly (readonly [string, string])[] = [
  ["a pool for prompts and one for outputs", pools()],
  ["64 pools", named(64)],
  ["pools side by side on a node", pools(", firstDevice: 0", ", firstDevice: 1")],
  ["a degree of tensor parallelism that divides the other", pools(", parallel: { tp: 4 }", ", parallel: { tp: 2 }")],
];

test.each(fine)("%s run", async (_, text) => {
  expect(await endOf(text)).toBe("");
});

/** What is wrong, the scenario, and the one line that says so, from its place on. */
const refused: readonly (readonly [string, string, string])[] = [
  [
    "pools on the same device",
    pools(", firstDevice: 0", ", firstDevice: 0"),
    "t.yaml:10:43: pools[1].firstDevice: expected a device after those of p: device 0 is in both, found 0",
  ],
  [
    "replicas over the end of a node that would fit one",
    scenario("pools: [{ name: a, firstDevice: 6, parallel: { tp: 4 } }, { name: b }]"),
    "t.yaml:8:33: pools[0].firstDevice: expected a device from which each replica of 4 devices lies in one node of 8, found 6",
  ],
  [
    "replicas of several nodes that begin within one",
    scenario("pools: [{ name: a, firstDevice: 4, parallel: { dp: 16, ep: 16 } }, { name: b }]"),
    "t.yaml:8:33: pools[0].firstDevice: expected the first device of a node of 8 for a replica of 16 devices, found 4",
  ],
  [
    "two expert caches over the memory of one node",
    scenario(`pools:\n  - { name: a, firstDevice: 0, ${cached} }\n  - { name: b, firstDevice: 1, ${cached} }`, {
      model: "id: mixtral-8x7b",
      routing: "kind: parametric, skew: 0.2, reuse: 0.3, rows: 100",
    }),
    "t.yaml:10:29: pools[1].firstDevice: expected a node without the expert cache of a: its memory and disks are not shared between pools, found 1",
  ],
  [
    "a layout that every pool has for itself",
    scenario("parallel: { tp: 2 }\npools: [{ name: a, parallel: { tp: 4 } }, { name: b, parallel: { tp: 8 } }]"),
    't.yaml:8:11: parallel: expected nothing: every pool has a parallel section of its own, found "tp"',
  ],
  [
    "an unknown role",
    scenario("pools: [{ name: p, role: prefil }, { name: d, role: decode }]"),
    't.yaml:8:26: pools[0].role: expected one of both, prefill, decode, router, found "prefil" (did you mean prefill?)',
  ],
  [
    "decode without prefill",
    scenario("pools: [{ name: d, role: decode }]"),
    't.yaml:8:26: pools[0].role: expected both, or a pool with role prefill beside it, found "decode"',
  ],
  [
    "prefill without decode",
    scenario("pools: [{ name: p, role: prefill }, { name: b }]"),
    't.yaml:8:26: pools[0].role: expected both, or a pool with role decode beside it, found "prefill"',
  ],
  [
    "names given twice",
    scenario("pools: [{ name: d, role: prefill }, { name: d, role: decode }]"),
    't.yaml:8:45: pools[1].name: expected a name that no other pool has, found "d"',
  ],
  [
    "a pool without a name",
    scenario("pools: [{ role: both }]"),
    "t.yaml:8:9: pools[0].name: expected text, found nothing",
  ],
  ["no pools", scenario("pools: []"), "t.yaml:8:8: pools: expected a size of at least 1, found []"],
  ["more than 64 pools", named(65), "t.yaml:8:8: pools: expected a size of at most 64, found "],
  [
    "sections that only the whole scenario has",
    scenario("pools: [{ name: a, traffic: {} }]"),
    't.yaml:8:20: pools[0].traffic: expected a key of pools[0], found "traffic" (known: ',
  ],
  [
    "pools of other models",
    pools("", ", model: { id: mixtral-8x7b }"),
    't.yaml:10:37: pools[1].model: expected qwen3-30b-a3b, as in pools[0]: a request may go to any pool (modelCache: models by class), found "mixtral-8x7b"',
  ],
  [
    "KV formats that differ",
    pools("", ", model: { id: qwen3-30b-a3b, kvCacheDtype: fp8 }"),
    't.yaml:10:72: pools[1].model.kvCacheDtype: expected bf16, as in pools[0]: caches are sent as they are, found "fp8"',
  ],
  [
    "draft modules that differ",
    pools("", ", engine: { id: vllm, speculative: { method: eagle, draftTokens: 1, acceptance: 0.8 } }"),
    't.yaml:10:63: pools[1].engine.speculative: expected no draft module, as in pools[0]: the caches of a draft module are sent too, found "eagle"',
  ],
  [
    "no link between nodes",
    scenario("pools: [{ name: p, role: prefill }, { name: d, role: decode }]", {
      model: "id: mixtral-8x7b, dtypes: { experts: int4 }",
      hardware: "system: rtx4090-desktop",
    }),
    't.yaml:4:11: pools[1].hardware: expected a link between nodes, to the devices of pools[0], found "NVIDIA GeForce RTX 4090"',
  ],
  [
    "engines that hand over in other ways",
    pools("", ", engine: { id: sglang }"),
    "t.yaml:10:38: pools[1].engine: expected an engine that hands over as vllm does, or handover.reserves, ",
  ],
  [
    "a hand-over without pools",
    scenario("handover: { transfer: chunk }"),
    't.yaml:8:11: handover: expected nothing: no pools with the roles prefill and decode, found "no pools"',
  ],
  [
    "a hand-over between pools that serve requests alone",
    scenario("pools: [{ name: a }]\nhandover: { transfer: chunk }"),
    't.yaml:9:11: handover: expected nothing: no pools with the roles prefill and decode, found "pools without"',
  ],
  [
    "chunks where room is set aside after the prefill",
    pools("", "", "handover: { reserves: afterPrefill, transfer: chunk }"),
    't.yaml:11:47: handover.transfer: expected request where room is set aside after the prefill: before that there is nowhere to send to, found "chunk"',
  ],
  [
    "room set aside after the prefill by an engine that sends chunks",
    scenario("pools: [{ name: p, role: prefill }, { name: d, role: decode }]\nhandover: { reserves: afterPrefill }", {
      engine: "id: sglang",
    }),
    't.yaml:9:23: handover.reserves: expected beforePrefill, or handover.transfer request: before there is room there is nowhere to send chunk to, found "afterPrefill"',
  ],
  [
    "a transfer of parts that are not known",
    pools("", "", "handover: { transfer: layer }"),
    't.yaml:11:23: handover.transfer: expected one of request, chunk, layers, found "layer" (did you mean layers?)',
  ],
  [
    "weights that routing does not have",
    scenario("", { routing: "kind: parametric, rows: 100, transforms: [{ kind: top-p, p: 0.5 }]" }),
    't.yaml:7:54: routing.transforms[0]: expected routing with the weights of the chosen experts, which top-p needs, found "none in parametric routing"',
  ],
  [
    "scores that a trace does not have",
    replayed("{ kind: mask, experts: [1], instead: next }"),
    "t.yaml:7:86: routing.transforms[0]: expected routing with the router's scores of all experts, which mask needs, found ",
  ],
  [
    "masks of experts that do not exist",
    replayed("{ kind: mask, experts: [32] }"),
    "t.yaml:7:86: routing.transforms[0]: expected experts below 32, found 32",
  ],
  [
    "masks of layers that do not exist",
    replayed("{ kind: mask, experts: [1], layers: [99] }"),
    "t.yaml:7:86: routing.transforms[0]: expected recorded layers, numbered from 0 to 23, found 99",
  ],
  [
    "masks of all experts, one after the other",
    replayed(`{ kind: mask, experts: [${numbers(31)}] }, { kind: mask, experts: [31] }`),
    'routing.transforms[1]: expected choices left in every layer, found "none in layer 0"',
  ],
  [
    "parameters of another policy",
    cache("kind: lru, slots: 2, halfLife: 4"),
    't.yaml:8:43: policy.offload.halfLife: expected a key of policy.offload, found "halfLife" (known: ',
  ],
  [
    "parameters of another admission",
    cache("kind: lru, slots: 2, admission: { kind: always, uses: 2 }"),
    't.yaml:8:70: policy.offload.admission.uses: expected a key of policy.offload.admission, found "uses" (known: kind)',
  ],
  [
    "more host memory than the host has",
    cache("kind: lru, slots: 2, hostMemory: 100TiB"),
    't.yaml:8:55: policy.offload.hostMemory: expected at most the 128 GiB of ddr5-5200-2ch in a node, found "100 TiB"',
  ],
  [
    "a tier that nobody knows",
    cache("kind: lru, slots: 2", "system: rtx4090-desktop, tiers: { hbm: { capacity: 1TiB } }"),
    't.yaml:4:47: hardware.tiers.hbm: expected a key of hardware.tiers, found "hbm" (known: ddr, cxl, nvme)',
  ],
  [
    "a part of a tier that the system lacks",
    cache("kind: lru, slots: 2", "system: rtx4090-desktop, tiers: { cxl: { capacity: 1TiB } }"),
    't.yaml:4:52: hardware.tiers.cxl: expected capacity and bandwidth: Desktop with one RTX 4090 has no cxl tier of its own, found "capacity"',
  ],
];

test.each(refused)("%s: one message with place, expectation and value", async (_, text, line) => {
  const end = await endOf(text);
  expect(end.split("\n")).toHaveLength(1);
  expect(end).toContain(line);
  expect(end).toMatch(/^t\.yaml:\d+:\d+: [a-zA-Z.[\]0-9]+: expected .+, found ./);
});

const infeasible: readonly (readonly [string, string, string])[] = [
  [
    "tensor parallelism that does not divide the model",
    pools("", ", parallel: { tp: 3 }"),
    "infeasible: t.yaml:10:46: pools[1].parallel.tp: expected a divisor of 32 query heads, found 3",
  ],
  [
    "a decode pool that cannot hold the KV cache of one request",
    pools("", ", engine: { id: vllm, maxModelLen: 64 }"),
    "infeasible: pool d cannot hold the KV cache of any request: the shortest has 110 tokens, it takes 64",
  ],
  [
    "a pool out of memory",
    pools("", ", engine: { id: vllm, gpuMemoryUtilization: 0.3 }"),
    "infeasible: pool d: Qwen3-30B-A3B does not fit: ",
  ],
];

test.each(infeasible)("%s is named", async (_, text, line) => {
  expect(await endOf(text)).toContain(line);
});

/** Settings of the command line, and what they end with. */
const settings: readonly (readonly [string, string])[] = [
  ["pools[0].parallel.replicas=2", ""],
  ["pools[1].engine={id: vllm, maxNumSeqs: 4}", ""],
  ["pools=null", ""],
  ["pools[0].parallel.replicas=0", "pools[0].parallel.replicas: expected at least 1, found 0"],
  [
    "pools[1].parallel.cpKvCache=sharded",
    'pools[1].parallel.cpKvCache: expected nothing: parallel.cp is 1, found "sharded"',
  ],
  ["pools[1].firstDevice=0", "pools[1].firstDevice: expected a device after those of p: device 0 is in both, found 0"],
  [
    "pools[1].role=decod",
    'pools[1].role: expected one of both, prefill, decode, router, found "decod" (did you mean decode?)',
  ],
  ["pools[5].role=decode", "pools[5].role: expected an item of 0 to 2, found 5"],
  [
    "pools[1].model={id: qwen3-30b-a3b, kvCacheDtype: fp8}",
    'pools[1].model.kvCacheDtype: expected bf16, as in pools[0]: caches are sent as they are, found "fp8"',
  ],
];

test.each(settings)("--set %s is placed", async (setting, line) => {
  expect(await endOf(pools(), [setting])).toBe(line === "" ? "" : `--set ${setting}: ${line}`);
});
