import fc from "fast-check";
import { expect, test } from "vitest";
import { engineIds } from "../../../src/engine/catalogue.ts";
import { expertMapFormats } from "../../../src/engine/expert-maps/expert-map-formats.ts";
import { argumentsOf } from "../../../src/engine/launch/argument-list.ts";
import type { Launch, LaunchChoices } from "../../../src/engine/launch/launch.ts";
import { launcherOf, launchers } from "../../../src/engine/launch/launchers.ts";
import { parseArguments } from "../../../src/engine/launch/parse-arguments.ts";
import { variablesOf, type Word, wordWith } from "../../../src/engine/launch/shell-words.ts";
import { rebalances } from "../../../src/policy/rebalance/rebalances.ts";
import { drawnChoices } from "./drawn-choices.ts";

const variables = { MODEL: "some/model", PORT: "8000", HEAD_ADDRESS: "head", NODE_RANK: "1", KT_WEIGHTS: "/weights" };
const textOf = (words: readonly Word[]) => words.map((word) => wordWith(word, variables));

const everyEngine = launchers.flatMap((launcher) => launcher.engines.map((engine) => ({ launcher, engine })));

test("every engine of the catalogue has one launcher", () => {
  expect(everyEngine.map(({ engine }) => engine).sort()).toEqual([...engineIds].sort());
  for (const id of engineIds) expect(launcherOf(id)?.engines).toContain(id);
});

test.each(everyEngine)("$engine: its program takes every line, on the first node and on the others", (of) => {
  const list = argumentsOf(of.launcher.program);
  fc.assert(
    fc.property(drawnChoices, (choices) => {
      const { words, workerWords } = of.launcher.write(choices, of.engine);
      for (const line of [words, ...(workerWords === undefined ? [] : [workerWords])]) {
        expect(parseArguments(textOf(line), list).problems).toEqual([]);
        for (const word of line)
          for (const variable of variablesOf(word)) expect(Object.keys(variables)).toContain(variable);
      }
    }),
    { numRuns: 300 },
  );
});

/** A flag's value on the first node. */
function flagOf(engine: string, { words }: Launch, name: string): string | boolean | undefined {
  return parseArguments(textOf(words), argumentsOf(launcherOf(engine)!.program)).values.get(name)?.[0];
}

/** Choices of one device without anything special, but for what is given. */
const plain = (given: Partial<LaunchChoices> = {}): LaunchChoices => ({
  role: "both",
  mapping: { tp: 1, cp: 1, dp: 1, pp: 1, ep: 1, etp: 1, edp: 1 },
  experts: true,
  cpKvCache: "replicated",
  nodes: 1,
  sparesDevices: false,
  maxBatchTokens: 8192,
  maxSequences: 256,
  chunkedPrefill: true,
  prefixCaching: true,
  memoryUtilisation: 0.9,
  contextTokens: undefined,
  blockTokens: undefined,
  recvInterval: undefined,
  frontEnds: undefined,
  exchange: {},
  kvCacheFormat: undefined,
  expertFormat: "bf16",
  speculative: undefined,
  expertMap: undefined,
  rebalance: undefined,
  dispatch: undefined,
  offloadFlags: undefined,
  hostThreads: undefined,
  router: undefined,
  reservedOutputTokens: undefined,
  ...given,
});
const write = (engine: string, given: Partial<LaunchChoices> = {}) => launcherOf(engine)!.write(plain(given), engine);
const refusedBy = (engine: string, given: Partial<LaunchChoices>) =>
  write(engine, given).refused.map(({ choice }) => choice);

test.each(engineIds)("%s refuses nothing of one device", (engine) => {
  expect(write(engine).refused).toEqual([]);
});

test("devices of vLLM and SGLang multiply to those of the mapping", () => {
  fc.assert(
    fc.property(drawnChoices, (choices) => {
      const { tp, cp, dp, pp } = choices.mapping;
      const number = (engine: string, name: string) =>
        Number(flagOf(engine, launcherOf(engine)!.write(choices, engine), name) ?? 1);
      const vllm = [
        "--tensor-parallel-size",
        "--pipeline-parallel-size",
        "--data-parallel-size",
        "--prefill-context-parallel-size",
      ];
      expect(vllm.reduce((product, name) => product * number("vllm", name), 1)).toBe(tp * cp * dp * pp);
      expect(number("sglang", "--tensor-parallel-size") * number("sglang", "--pipeline-parallel-size")).toBe(
        tp * cp * dp * pp,
      );
    }),
  );
});

test("an expert map that is written is read back equal, and one that is not is refused", () => {
  const formats = {
    vllm: expertMapFormats.vllm,
    "vllm-ascend": expertMapFormats["vllm-ascend"],
    sglang: expertMapFormats.sglang,
    "tensorrt-llm": expertMapFormats["tensorrt-llm"],
  };
  let [read, refused] = [0, 0];
  fc.assert(
    fc.property(drawnChoices, (drawn) => {
      const choices = { ...drawn, experts: true, rebalance: undefined };
      if (choices.expertMap === undefined) return;
      const { map, context } = choices.expertMap;
      for (const [engine, format] of Object.entries(formats)) {
        const launch = launcherOf(engine)!.write(choices, engine);
        if (launch.refused.some(({ choice }) => choice === "policy.placement")) {
          refused++;
          continue;
        }
        const file = launch.files.find(({ name }) => name.startsWith("experts."))?.content;
        const text =
          engine === "vllm"
            ? textOf(launch.words)
                .map((word) => `'${word}'`)
                .join(" ")
            : (file as { text: string }).text;
        if (engine === "vllm" && choices.mapping.ep === 1) continue;
        expect(format.read(text, context).logicalExperts).toEqual(map.logicalExperts);
        read++;
      }
    }),
    { numRuns: 300 },
  );
  expect(Math.min(read, refused)).toBeGreaterThan(50);
});

test("what SGLang divides by its data-parallel ranks is what a rank has", () => {
  const launch = write("sglang", {
    mapping: { tp: 1, cp: 1, dp: 8, pp: 1, ep: 8, etp: 1, edp: 1 },
    maxSequences: 32,
    maxBatchTokens: 1024,
  });
  expect(flagOf("sglang", launch, "--max-running-requests")).toBe("256");
  expect(flagOf("sglang", launch, "--chunked-prefill-size")).toBe("8192");
  expect(launch.words).toContain("--enable-dp-attention");
});

test("slots of llama.cpp have the context of a request each", () => {
  const launch = write("llama.cpp", { contextTokens: 4096, maxSequences: 3 });
  expect(flagOf("llama.cpp", launch, "--ctx-size")).toBe("12288");
});

test("ranks over nodes: every rank of vLLM starts once, whatever the node", () => {
  for (const nodes of [2, 4]) {
    const mapping = { tp: 2, cp: 1, dp: 16, pp: 1, ep: 32, etp: 1, edp: 1 };
    const { workerWords = [] } = write("vllm", { mapping, nodes });
    const starts = Array.from({ length: nodes - 1 }, (_, worker) => {
      const words = workerWords.map((word) => wordWith(word, { ...variables, NODE_RANK: String(worker + 1) }));
      const { values } = parseArguments(words, argumentsOf("vllm"));
      expect(values.get("--data-parallel-size-local")).toEqual([String(16 / nodes)]);
      return Number(values.get("--data-parallel-start-rank")?.[0]);
    });
    expect([0, ...starts]).toEqual(Array.from({ length: nodes }, (_, node) => (node * 16) / nodes));
  }
});

test("what an engine does not have is refused by the key that asks for it", () => {
  const two = { tp: 2, cp: 1, dp: 1, pp: 1, ep: 1, etp: 2, edp: 1 };
  expect(refusedBy("vllm", { mapping: { ...two, tp: 4, ep: 2 } })).toEqual(["parallel.ep"]);
  expect(refusedBy("tensorrt-llm", { mapping: { ...two, dp: 2, ep: 4, etp: 1 } })).toEqual(["parallel.dp"]);
  expect(refusedBy("llama.cpp", { mapping: { ...two, ep: 2, etp: 1 } })).toEqual(["parallel.ep"]);
  expect(refusedBy("sglang", { mapping: { ...two, cp: 2, tp: 1 } })).toEqual(["parallel.cp"]);
  expect(refusedBy("llama.cpp", { offloadFlags: ["--no-such-flag"] })).toEqual(["policy.offload.flags"]);
  expect(refusedBy("llama.cpp", { hostThreads: 4, offloadFlags: ["--threads", "8"] })).toEqual([
    "policy.offload.flags",
  ]);
  expect(refusedBy("ktransformers", { offloadFlags: ["--tensor-parallel-size", "2"] })).toEqual([
    "policy.offload.flags",
  ]);
  for (const engine of ["vllm", "sglang", "tensorrt-llm"])
    expect(refusedBy(engine, { speculative: { method: "eagle", draftTokens: 2 } })).toEqual([
      "engine.speculative.method",
    ]);
  expect(refusedBy("vllm", { kvCacheFormat: "int4" })).toEqual(["model.kvCacheDtype"]);
});

/** Two values of every choice that an engine may be told, and the path that refuses it. */
const pairs: readonly (readonly [path: string, one: Partial<LaunchChoices>, other: Partial<LaunchChoices>])[] = [
  ["engine.maxNumBatchedTokens", { maxBatchTokens: 512 }, { maxBatchTokens: 1024 }],
  ["engine.maxNumSeqs", { maxSequences: 8 }, { maxSequences: 16 }],
  ["engine.maxModelLen", { contextTokens: 4096 }, { contextTokens: 8192 }],
  ["engine.enableChunkedPrefill", { chunkedPrefill: true }, { chunkedPrefill: false }],
  ["engine.enablePrefixCaching", { prefixCaching: true }, { prefixCaching: false }],
  ["engine.gpuMemoryUtilization", { memoryUtilisation: 0.8 }, { memoryUtilisation: 0.9 }],
  ["engine.blockSize", { blockTokens: 16 }, { blockTokens: 32 }],
  ["engine.schedulerRecvInterval", { recvInterval: 2 }, { recvInterval: 4 }],
  ["engine.apiServerCount", { frontEnds: 2 }, { frontEnds: 4 }],
  ["engine.speculative.draftTokens", mtp(1), mtp(3)],
  ["engine.speculative", mtp(1), {}],
  ["model.kvCacheDtype", { kvCacheFormat: "fp8" }, {}],
  ["engine.enableDbo", { exchange: { enableDbo: true } }, {}],
  ["engine.all2allBackend", { exchange: { all2allBackend: "deepep_low_latency" } }, {}],
  ["engine.moeA2aBackend", { exchange: { moeA2aBackend: "deepep" } }, {}],
  ["engine.enableTwoBatchOverlap", { exchange: { enableTwoBatchOverlap: true } }, {}],
  ["engine.forceAlltoallMethod", { exchange: { forceAlltoallMethod: "NVLinkTwoSided" } }, {}],
  ["parallel.pp", ranks({ pp: 2 }), ranks({})],
  ["parallel.tp", ranks({ tp: 2, etp: 2 }), ranks({})],
  ["parallel.dp", ranks({ dp: 2, etp: 2 }), ranks({})],
  ["parallel.ep", ranks({ tp: 2, ep: 2 }), ranks({ tp: 2, etp: 2 })],
  ["parallel.edp", ranks({ tp: 2, edp: 2 }), ranks({ tp: 2, etp: 2 })],
  ["parallel.cp", ranks({ cp: 2, etp: 2 }), ranks({ tp: 2, etp: 2 })],
  ["pools.role", { role: "prefill" }, { role: "decode" }],
  ["pools.role", { role: "prefill" }, {}],
  ["hardware.host.threads", { hostThreads: 8 }, { hostThreads: 16 }],
  [
    "handover.reservedOutputTokens",
    { role: "decode", reservedOutputTokens: 128 },
    { role: "decode", reservedOutputTokens: 256 },
  ],
];

function mtp(draftTokens: number): Partial<LaunchChoices> {
  return { speculative: { method: "mtp", draftTokens } };
}

function ranks(given: Partial<LaunchChoices["mapping"]>): Partial<LaunchChoices> {
  return { mapping: { ...plain().mapping, ...given } };
}

test.each(engineIds)("%s: every choice makes another line, or is refused", (engine) => {
  const { expresses } = launcherOf(engine)!;
  const dropped = pairs.filter(([path, ...values]) => {
    const [one, other] = values.map((given) => write(engine, given));
    // A scenario that states what no line says is refused before: see plan/deploy/stated-refusals.ts.
    const byPath = launchersSay.some((said) => isUnder(path, said) && !expresses.includes(said));
    const refused = [...one!.refused, ...other!.refused].some(
      ({ choice }) => isUnder(path, choice) || isUnder(choice, path),
    );
    const said = (launch: Launch) => JSON.stringify([launch.words, launch.environment, launch.files]);
    return !byPath && !refused && said(one!) === said(other!);
  });
  expect(dropped.map(([path]) => path)).toEqual([]);
});

/** Keys that some engines say and others do not. */
const launchersSay = launchers.flatMap(({ expresses }) => expresses);

const isUnder = (path: string, key: string): boolean => path === key || path.startsWith(`${key}.`);

test.each(
  (
    [
      [
        "vllm",
        "vllm",
        { policy: "eplb", window: 100, interval: 200, async: true },
        { policy: "x", window: 1, interval: 2, async: false },
      ],
      [
        "sglang",
        "sglang",
        { policy: "eplb", interval: 100, layersPerChunk: 2, minUtilisation: 0.5 },
        { policy: "x", interval: 1, layersPerChunk: 3, minUtilisation: 0.6 },
      ],
      [
        "tensorrt-llm",
        "tensorrt-llm",
        { policy: "eplb", layerUpdatesPerIter: 1 },
        { policy: "x", layerUpdatesPerIter: 2 },
      ],
    ] as const
  ).flatMap(([engine, kind, values, others]) =>
    Object.entries(others).map(([key, other]) => ({ engine, kind, key, values, changed: { ...values, [key]: other } })),
  ),
)("$engine: $key of rebalancing makes another line, or is refused", ({ engine, kind, key, values, changed }) => {
  const map = {
    layers: 1,
    experts: 8,
    slots: 8,
    ranks: 2,
    logicalExperts: Uint16Array.from({ length: 8 }, (_, slot) => slot),
    notes: [],
  };
  const context = { file: "experts", layers: 1, moeLayers: [0], experts: 8, groups: 1, ranks: 2 };
  const [one, other] = [values, changed].map((given) =>
    write(engine, {
      mapping: { ...plain().mapping, dp: 2, ep: 2 },
      expertMap: { map, context },
      rebalance: { kind, values: given },
    }),
  );
  expect(one!.refused).toEqual([]);
  if (key === "policy")
    expect(other!.refused.map(({ choice }) => choice)).toEqual(["policy.placement.rebalance.policy"]);
  else expect(JSON.stringify([other!.words, other!.files])).not.toBe(JSON.stringify([one!.words, one!.files]));
});

test("parameters of rebalancing are those that the laws above change", () => {
  const keys = Object.entries(rebalances).map(([kind, { parameters }]) => [kind, Object.keys(parameters).sort()]);
  expect(Object.fromEntries(keys)).toEqual({
    vllm: ["async", "interval", "policy", "window"],
    sglang: ["interval", "layersPerChunk", "minUtilisation", "policy"],
    "tensorrt-llm": ["layerUpdatesPerIter", "policy"],
  });
});
