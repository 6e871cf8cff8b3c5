import { expect, test } from "vitest";
import { formatProblem, InfeasibleError, InvalidInputError } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { devicesByPool } from "../../src/sim/config.ts";
import { simulate } from "../../src/sim/simulate.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

interface Parts {
  readonly top?: string;
  readonly pools?: string;
  readonly cache?: string;
  readonly classes?: string;
  readonly hardware?: string;
  readonly routing?: string;
  readonly requests?: number;
}

const lengths = "isl: { kind: fixed, tokens: 100 }, osl: { kind: fixed, tokens: 4 }";
const two =
  "{ name: chat, serves: [chat] }, { name: code, serves: [code], model: { id: qwen3-30b-a3b, dtypes: { experts: q4_k } } }";
const both = `{ name: chat, share: 0.7, ${lengths} }, { name: code, share: 0.3, ${lengths} }`;

const scenario = ({
  top = "",
  pools = two,
  cache = "kvMemory: 1GiB",
  classes = both,
  requests = 12,
  ...parts
}: Parts = {}) =>
  `version: 1
name: models in turn
model: { id: gpt-oss-20b }
hardware: { ${parts.hardware ?? "system: rtx4090-desktop"} }
engine: { id: llama.cpp, maxModelLen: 4096, maxNumSeqs: 4, maxNumBatchedTokens: 512 }
traffic: { kind: generated, requests: ${requests}, arrivals: { kind: closed, maxConcurrency: 1 }, ${classes === "" ? lengths : `classes: [${classes}]`} }
routing: { ${parts.routing ?? "kind: uniform"} }
${pools === "" ? "" : `pools: [${pools}]`}
${cache === "" ? "" : `modelCache: { ${cache} }`}
${top}
`;

async function configOf(parts: Parts = {}) {
  return (await resolveScenario(parseScenario(scenario(parts), "t.yaml", {}), noFiles)).config;
}

/** What a scenario ends with: nothing where it runs, the lines of its problems, or what is infeasible. */
async function endOf(parts: Parts): Promise<string> {
  try {
    simulate(await configOf(parts));
    return "";
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem).join("\n");
    if (error instanceof InfeasibleError) return `infeasible: ${error.message.split("\n")[0]}`;
    throw error;
  }
}

test("models of different shape and routing share one set of devices", async () => {
  const config = await configOf();
  expect(devicesByPool(config)).toEqual([1, 0]);
  const { modelCache, completed } = ((run) => ({
    modelCache: run.modelCache!,
    completed: run.requests.status.every((status) => status === 0),
  }))(simulate(config));
  expect(completed).toBe(true);
  expect(modelCache.models).toBe(2);
  // One request at a time, room for one model: it changes as often as the class does.
  const { servedBy } = config.modelCache!;
  const changes = servedBy.reduce((sum, model, i) => sum + Number(i === 0 || model !== servedBy[i - 1]), 0);
  expect(modelCache.loads).toBe(changes);
  expect(modelCache.missed).toBe(changes);
});

test("a request is served by the pool of its class, and by variants as often as their popularity says", async () => {
  const pools = "{ name: chat, serves: [chat], variants: 4, popularity: 1 }, { name: code, serves: [code] }";
  const { modelCache, workload } = await configOf({ pools, requests: 4000 });
  const { classOf } = workload.requests;
  const uses = Array.from({ length: 5 }, () => 0);
  for (const [request, model] of modelCache!.servedBy.entries()) {
    expect(model === 4).toBe(classOf[request] === 1);
    uses[model]! += 1;
  }
  const chat = uses.slice(0, 4).reduce((sum, count) => sum + count, 0);
  const law = [1, 1 / 2, 1 / 3, 1 / 4].map((weight) => weight / (1 + 1 / 2 + 1 / 3 + 1 / 4));
  for (const [variant, share] of law.entries()) expect(uses[variant]! / chat).toBeCloseTo(share, 1);
});

test("changing to a model of 8B on SN40L takes what its vendor states, and 14 to 32 times as long over the link of one GPU", async () => {
  const llama = (layers: string) =>
    `model: { shape: { name: llama, modelType: llama, hiddenSize: 4096, ${layers}, attention: { kind: gqa, queryHeads: 32, `;
  const eight = `${llama("layers: 32, vocabSize: 128256, contextTokensMax: 8192")}kvHeads: 8, headDim: 128 }, feedForward: { kind: dense, width: 14336 } } }`;
  const seven = `${llama("layers: 32, vocabSize: 32000, contextTokensMax: 4096")}kvHeads: 32, headDim: 128 }, feedForward: { kind: dense, width: 11008 } } }`;
  const load = async (model: string, hardware: string, tp: number) => {
    const pools = `{ name: m, ${model}, parallel: { tp: ${tp} }, engine: { id: vllm, maxModelLen: 4096, maxNumSeqs: 4, maxNumBatchedTokens: 1024 } }`;
    const { loads, loadNs } = simulate(
      await configOf({ pools, classes: "", hardware: `system: ${hardware}`, requests: 1, cache: "kvMemory: 4GiB" }),
    ).modelCache!;
    return loadNs / loads / 1e6;
  };
  expect(await load(eight, "sn40l-16", 16)).toBeCloseTo(10, 0);
  const sockets = await load(seven, "sn40l-16", 8);
  expect((await load(seven, "h100-sxm-8", 1)) / sockets).toBeCloseTo(14.4, 1);
  expect((await load(seven, "a100-sxm-8", 1)) / sockets).toBeCloseTo(32.2, 1);
});

const refused: readonly (readonly [string, Parts, RegExp])[] = [
  ["no pools", { pools: "" }, /modelCache: expected pools beside it/],
  ["no room stated for KV caches", { cache: "memory: 20GiB" }, /modelCache\.kvMemory/],
  [
    "classes that no request has",
    { pools: two.replace("[code]", "[cod]") },
    /pools\[1\]\.serves\[0\].*found "cod".*did you mean code/,
  ],
  ["a class that nobody serves", { pools: "{ name: a, serves: [chat] }" }, /one pool that serves class code.*none/],
  [
    "a class that two serve",
    { pools: two.replace("serves: [code]", "serves: [code, chat]") },
    /one pool that serves class chat.*chat, code/,
  ],
  [
    "several models without classes",
    { pools: "{ name: a }, { name: b }" },
    /pools\[0\]\.serves: expected classes of requests/,
  ],
  [
    "pools that prefill and decode",
    { pools: "{ name: a, role: prefill }, { name: b, role: decode }" },
    /pools\[0\]\.role: expected both or router/,
  ],
  [
    "a pool that chooses and nothing to choose",
    { pools: "{ name: a, role: router }" },
    /pools\[0\]\.role: expected both/,
  ],
  [
    "two pools that choose",
    { pools: `${two}, { name: x, role: router }, { name: y, role: router }` },
    /pools\[3\]\.role: expected both: one pool chooses/,
  ],
  [
    "devices of their own",
    { pools: two.replace("name: code,", "name: code, firstDevice: 1,") },
    /pools\[1\]\.firstDevice: expected nothing/,
  ],
  ["a hand-over", { top: "handover: { localPromptTokens: 5 }" }, /handover: expected nothing beside modelCache/],
  ["two pools of one name", { pools: two.replace("name: code", "name: chat") }, /pools\[1\]\.name/],
  ["replicas", { top: "parallel: { replicas: 2 }" }, /parallel\.replicas: expected 1 beside modelCache/],
  [
    "other hardware",
    { pools: two.replace("name: code,", "name: code, hardware: { system: rtx5090-desktop },") },
    /pools\[1\]\.hardware: expected 1 x rtx-4090/,
  ],
  [
    "an expert cache",
    { top: "policy: { offload: { kind: lru, slots: 8 } }", routing: "kind: parametric, rows: 100" },
    /policy\.offload: expected nothing beside modelCache/,
  ],
  [
    "recorded choices of other experts",
    { routing: "kind: parametric, rows: 100" },
    /pools\[1\]\.model: expected 32 experts, 4 a token/,
  ],
  [
    "pools that are kept and do not exist",
    { cache: "kvMemory: 1GiB, keep: [cha]" },
    /modelCache\.keep\[0\].*did you mean chat/,
  ],
  [
    "a pool that is kept twice",
    { cache: "kvMemory: 1GiB, keep: [chat, chat]" },
    /modelCache\.keep\[1\]: expected each pool once/,
  ],
  [
    "another link to the same devices",
    {
      pools: two.replace(
        "name: code,",
        "name: code, hardware: { system: rtx4090-desktop, hostLink: { bandwidth: 5GB/s } },",
      ),
    },
    /pools\[1\]\.hardware: expected that of pools\[0\]/,
  ],
  [
    "another price of the same devices",
    { pools: two.replace("name: code,", "name: code, cost: { usdPerDeviceHour: 5 },") },
    /pools\[1\]\.cost: expected that of pools\[0\]/,
  ],
  [
    "more models than a run takes",
    { pools: two.replace("[chat]", "[chat], variants: 2048").replace("[code]", "[code], variants: 2049") },
    /pools: expected at most 4096 models in all, variants included, found 4097/,
  ],
  [
    "a KV cache with room for no token",
    { cache: "kvMemory: 1KiB" },
    /infeasible: pool chat: the KV cache of gpt-oss-20b needs .*, 1 KiB are for it \(modelCache\.kvMemory\)/,
  ],
  [
    "KV caches that leave no room for weights",
    {
      cache: "kvMemory: 20GiB",
      pools: two.replace("name: chat", "name: chat, engine: { id: vllm, maxModelLen: 4096, maxNumSeqs: 512 }"),
    },
    /infeasible: pool chat: its model needs .* of a device, 21\.\d GiB are for models/,
  ],
  [
    "more memory than a device has",
    { cache: "kvMemory: 1GiB, memory: 30GiB" },
    /modelCache\.memory: expected at most the/,
  ],
  [
    "roles without modelCache",
    { pools: "{ name: a }, { name: r, role: router }", cache: "", classes: "" },
    /pools\[1\]\.role: expected both, or modelCache/,
  ],
  [
    "variants without modelCache",
    { pools: "{ name: a, variants: 3 }", cache: "", classes: "" },
    /pools\[0\]\.variants: expected nothing, or modelCache/,
  ],
  [
    "a model larger than the memory for models",
    { cache: "kvMemory: 1GiB, memory: 15GiB" },
    /infeasible: pool code: its model needs/,
  ],
  [
    "models that stay and leave no room",
    { cache: "kvMemory: 1GiB, keep: [chat]" },
    /infeasible: pool code: its model needs .* beside/,
  ],
];

test.each(refused)("%s: refused with place and expectation", async (_name, parts, message) => {
  expect(await endOf(parts)).toMatch(message);
});

test("each problem of a scenario is said once", async () => {
  const lines = (await endOf({ top: "parallel: { replicas: 2 }" })).split("\n");
  expect(lines).toHaveLength(1);
});
