import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { observationOf, observeDeployment } from "../../../src/calibrate/observed/observe-deployment.ts";
import { oneLine } from "../../../src/core/printable.ts";
import { engineIds } from "../../../src/engine/catalogue.ts";
import { minimal } from "../../scenario/example.ts";
import { type Deployed, deployed, deployedFile } from "./bundled.ts";
import { checkDeployment, folderOf, objectsOf } from "./check-deployment.ts";
import { podsOf } from "./kubernetes-schemas.ts";
import { settings, shell } from "./started.ts";

const sh = shell();

/** The minimal scenario with few requests, and these lines in place of its own or behind them. */
const scenario = (lines: Readonly<Record<string, string>> = {}): string => {
  const own = Object.fromEntries(
    minimal
      .replace("requests: 100", "requests: 12")
      .split(/\n(?=\w)/)
      .map((section) => [/^\w+/.exec(section)![0], section.trimEnd()]),
  );
  const given = Object.fromEntries(Object.entries(lines).map(([key, value]) => [key, `${key}: ${value}`]));
  return `${Object.values({ ...own, ...given }).join("\n")}\n`;
};
const choicesOf = ({ deployment }: Deployed) => deployment.refused.map(({ choice }) => choice);
const textOf = ({ deployment }: Deployed, path: string) => deployment.files.find((file) => file.path === path)!.text;
const lineOf = (one: Deployed, index = 0) => {
  const text = textOf(one, `${folderOf(one, index)}launch.sh`);
  return sh.text(text, settings).words!;
};

test("a replica of several nodes is a LeaderWorkerSet whose nodes each start their ranks", async () => {
  const one = await deployed(
    scenario({
      engine: "{ id: vllm, version: 0.19.0 }",
      hardware: "{ system: h100-sxm-8, devicesPerNode: 4 }",
      parallel: "{ tp: 1, dp: 8, ep: 8, replicas: 2 }",
    }),
  );
  await checkDeployment(one, sh);
  expect(one.deployment.refused).toEqual([]);
  const [set] = objectsOf(one);
  expect(set).toMatchObject({ kind: "LeaderWorkerSet", spec: { replicas: 2, leaderWorkerTemplate: { size: 2 } } });
  for (const pod of podsOf(set!)) {
    expect(pod.spec.containers[0]!.image).toBe("vllm/vllm-openai:v0.19.0");
    expect(pod.spec.containers[0]!.resources.limits).toEqual({ "nvidia.com/gpu": 4 });
  }
});

test("TensorRT-LLM over several nodes starts under MPI, which Kubernetes objects here do not", async () => {
  const parts = { hardware: "{ system: h100-sxm-8, devicesPerNode: 4 }", parallel: "{ tp: 8, ep: 8 }" };
  const one = await deployed(scenario({ ...parts, engine: "{ id: tensorrt-llm }" }));
  await checkDeployment(one, sh);
  expect(choicesOf(one)).toEqual(["kubernetes.yaml"]);
  expect(lineOf(one).slice(0, 2)).toEqual(["trtllm-llmapi-launch", "trtllm-serve"]);
});

test.each([
  ["sglang", "experts.json"],
  ["tensorrt-llm", "experts.yaml"],
] as const)("%s: the map of placed experts lies beside the line, in the pod too", async (id, name) => {
  const one = await deployed(
    scenario({
      engine: `{ id: ${id} }`,
      parallel: "{ tp: 1, dp: 4, ep: 4 }",
      policy: "{ placement: { kind: eplb, redundant: 8 } }",
      routing: "{ kind: parametric, rows: 400 }",
    }),
  );
  await checkDeployment(one, sh);
  expect(choicesOf(one)).toEqual([]);
  const map = objectsOf(one).find(({ kind }) => kind === "ConfigMap") as unknown as { data: Record<string, string> };
  expect(map.data[name]).toBe(textOf(one, name));
});

test("pools of prefill and decode have a line each, that says its role; what an engine lacks is refused", async () => {
  const pools = `
  - { name: in, role: prefill, parallel: { tp: 2, replicas: 2 } }
  - { name: out, role: decode, parallel: { tp: 4 } }`;
  const roles: Readonly<Record<string, (words: readonly string[]) => string>> = {
    sglang: (words) => words[words.indexOf("--disaggregation-mode") + 1]!,
    vllm: (words) => (JSON.parse(words[words.indexOf("--kv-transfer-config") + 1]!) as { kv_role: string }).kv_role,
  };
  for (const [id, roleOf] of Object.entries(roles)) {
    const one = await deployed(scenario({ engine: `{ id: ${id} }`, pools }));
    await checkDeployment(one, sh);
    const found = [0, 1].map((index) => roleOf(lineOf(one, index)));
    expect(found).toEqual(id === "sglang" ? ["prefill", "decode"] : ["kv_producer", "kv_consumer"]);
    expect(choicesOf(one)).toContain("handover");
    expect(objectsOf(one).filter(({ kind }) => kind === "Deployment")).toHaveLength(2);
  }
});

test("a version is pinned: the scenario's own, else the newest that the profile knows, which the file says", async () => {
  const stated = await deployed(scenario({ engine: "{ id: sglang, version: 0.5.9 }" }));
  expect(textOf(stated, "launch.sh")).toContain("image: lmsysorg/sglang:v0.5.9");
  expect(textOf(stated, "launch.sh")).not.toContain("states none");
  const newest = await deployed(scenario({ engine: "{ id: sglang }" }));
  expect(textOf(newest, "launch.sh")).toMatch(/newest that its profile knows: the scenario states none/);
  const unknown = await deployed(scenario({ engine: "{ id: llama.cpp }" }));
  expect(choicesOf(unknown)).toContain("engine.version");
});

test("what is stated and cannot be said is refused by name; what asks for nothing is not", async () => {
  const one = await deployed(
    scenario({
      engine: "{ id: llama.cpp, version: b9603, gpuMemoryUtilization: 0.8 }",
      parallel: "{ tp: 1, replicas: 2 }",
      policy: "{ router: round-robin }",
    }),
  );
  expect(choicesOf(one)).toEqual(["engine.gpuMemoryUtilization", "policy.router"]);
  const neutral = await deployed(
    scenario({
      engine: "{ id: llama.cpp, version: b9603 }",
      parallel: "{ tp: 1, ep: 1, dp: 1 }",
      policy: "{ router: least-loaded }",
    }),
  );
  expect(choicesOf(neutral)).toEqual([]);
  const scaled = await deployed(
    scenario({ policy: "{ scaling: { kind: concurrency, min: 1, max: 3, target: 4 } }" }).replace(
      "kind: concurrency",
      "kind: concurrency",
    ),
  ).catch((error: unknown) => error);
  expect(scaled instanceof Error ? scaled.message : choicesOf(scaled as Deployed)).toContain("policy.scaling");
});

describe("names that a shell or YAML would read something into", () => {
  const hostile = [
    `'; touch PWNED #`,
    `$(touch PWNED)`,
    "`touch PWNED`",
    `a"b\\`,
    "x\ny: z",
    "--host",
    "# no",
    "é\u202e",
    "&a *b !c",
  ];

  test.each(hostile)("%j stays text in every file", async (name) => {
    const text = scenario({
      name: JSON.stringify(name),
      pools: `[{ name: ${JSON.stringify(name)}, role: both }]`,
    });
    const one = await deployed(text, {}, `scenarios/${name.replaceAll("\n", " ")}.yaml`).catch(() => null);
    // Names that a scenario refuses come no further; the name of a file may be any.
    const unnamed = await deployed(scenario(), {}, `scenarios/${name}.yaml`);
    for (const each of one === null ? [unnamed] : [one, unnamed]) {
      await checkDeployment(each, sh);
      const { out } = sh.text(textOf(each, "bench.sh"), settings);
      // What is printed is a line that a shell reads back as the words that were meant.
      const words = sh.text(`set -- ${out.trim()}; printf '%s\\0' "$@"`).out.split("\0");
      expect(words.slice(0, 2)).toEqual(["moecast", "run"]);
      expect(words[2]).toBe(each.scenario.file);
    }
    expect(sh.text("ls").out).not.toContain("PWNED");
  });

  test("a path of MODEL is one word of the line", async () => {
    const one = await deployed(scenario());
    for (const name of hostile) {
      const { words } = sh.text(textOf(one, "launch.sh"), { ...settings, MODEL: name });
      expect(words?.filter((word) => word === name)).toHaveLength(name === "--host" ? 2 : 1);
    }
  });

  test("a described model of such a name is asked for in words", async () => {
    const shape = (name: string) =>
      `\n  shape:\n    name: ${JSON.stringify(name)}\n    layers: 2\n    hiddenSize: 64\n    vocabSize: 1000\n` +
      "    contextTokensMax: 4096\n    attention: { kind: gqa, queryHeads: 8, kvHeads: 2 }\n" +
      "    feedForward:\n      - { kind: moe, experts: 8, topK: 2, expertWidth: 32 }";
    for (const name of hostile.filter((text) => !text.includes("\n"))) {
      const one = await deployed(scenario({ model: shape(name) }));
      await checkDeployment(one, sh);
      const { error, words, status } = sh.text(textOf(one, "launch.sh"), {});
      expect([words, status]).toEqual([null, 2]);
      expect(error).toContain(`set MODEL: a repository or folder with ${oneLine(name)}`);
    }
    expect(sh.text("ls").out).not.toContain("PWNED");
  });
});

test("the benchmark has the clients of a closed loop, and the times of an open one", async () => {
  const open = await deployed(scenario());
  expect(sh.text(textOf(open, "bench.sh")).words).toContain("--fixed-schedule");
  const closed = await deployed(
    scenario().replace("{ kind: poisson, requestRate: 5/s }", "{ kind: closed, maxConcurrency: 7 }"),
  );
  const words = sh.text(textOf(closed, "bench.sh")).words!;
  expect(words[words.indexOf("--concurrency") + 1]).toBe("7");
  expect(textOf(closed, "requests.jsonl")).not.toContain("timestamp");
});

test("prompts that share blocks name them: lengths are equal, and blocks are shared where full", async () => {
  const one = await deployed(
    scenario({
      traffic:
        "{ kind: sharedPrefix, groups: 3, promptsPerGroup: 4, prefix: { kind: fixed, tokens: 64 }, question: { kind: fixed, tokens: 21 }, osl: { kind: fixed, tokens: 8 }, arrivals: { kind: poisson, requestRate: 5/s } }",
    }),
  );
  await checkDeployment(one, sh);
  const { prefix, promptTokens } = one.resolved.config.workload.requests;
  const lines = textOf(one, "requests.jsonl").trim().split("\n");
  const rows = lines.map((line) => JSON.parse(line) as { input_length: number; hash_ids: number[] });
  const size = prefix!.blockTokens;
  const seen = new Map<number, number>();
  for (const [i, { input_length, hash_ids }] of rows.entries()) {
    expect(hash_ids.length).toBe(Math.ceil(promptTokens[i]! / size));
    for (const [block, id] of hash_ids.entries()) {
      const tokens = Math.min(size, input_length - block * size);
      // AIPerf makes the text of a block once.
      expect(seen.get(id) ?? tokens).toBe(tokens);
      seen.set(id, tokens);
    }
  }
  expect(new Set(rows.flatMap(({ hash_ids }) => hash_ids)).size).toBeLessThan(
    rows.flatMap(({ hash_ids }) => hash_ids).length,
  );
  const words = sh.text(textOf(one, "bench.sh")).words!;
  expect(words[words.indexOf("--isl-block-size") + 1]).toBe(String(size));
});

test("what the benchmark writes adjusts the forecast", async () => {
  const one = await deployed(scenario());
  const { requests } = one.resolved.config.workload;
  const start = 1.7e18;
  // Records as AIPerf writes them (docs/tutorials/working-with-profile-exports.md of ai-dynamo/aiperf).
  const records = Array.from({ length: requests.count }, (_, i) => {
    const tokens = requests.outputTokens[i]!;
    const [ttft, itl] = [60, 12];
    const at = start + requests.arrivalNs[i]!;
    const metric = (value: number, unit: string) => ({ value, unit });
    return JSON.stringify({
      metadata: {
        request_start_ns: at,
        request_end_ns: at + (ttft + itl * (tokens - 1)) * 1e6,
        benchmark_phase: "profiling",
      },
      metrics: {
        input_sequence_length: metric(requests.promptTokens[i]!, "tokens"),
        output_sequence_length: metric(tokens, "tokens"),
        time_to_first_token: metric(ttft, "ms"),
        inter_token_latency: metric(itl, "ms"),
        request_latency: metric(ttft + itl * (tokens - 1), "ms"),
      },
      error: null,
    });
  });
  const observation = observationOf(`${records.join("\n")}\n`, "measured/profile_export.jsonl");
  expect(observation.measurement.kind).toBe("run");
  const observed = observeDeployment(one.resolved, { ...observation, acceptsDifferences: true });
  expect(observed.observed).toBe(true);
});

/** Layouts over devices of nodes of 4 or 8, by what a scenario says. */
const layouts = ["{ tp: 1 }", "{ tp: 2 }", "{ tp: 8, replicas: 3 }", "{ tp: 2, pp: 2, replicas: 2 }"];
const expertLayouts = [
  "{ tp: 8, ep: 8 }",
  "{ tp: 4, dp: 2, ep: 8 }",
  "{ tp: 1, dp: 8, ep: 8 }",
  "{ tp: 4, dp: 4, ep: 16 }",
];
const commonKeys = ["maxNumBatchedTokens: 4096", "maxNumSeqs: 24", "maxModelLen: 4096", "enablePrefixCaching: false"];
const ofEngines: Readonly<Record<string, { system: string; layouts: readonly string[]; keys: readonly string[] }>> = {
  vllm: {
    system: "h100-sxm-8",
    layouts: [...layouts, ...expertLayouts],
    keys: ["blockSize: 32", "apiServerCount: 2", "gpuMemoryUtilization: 0.85"],
  },
  "vllm-rocm": { system: "mi300x-8", layouts: [...layouts, ...expertLayouts], keys: ["gpuMemoryUtilization: 0.85"] },
  "vllm-ascend": {
    system: "ascend-800i-a2-8",
    layouts: [...layouts, ...expertLayouts],
    keys: ["gpuMemoryUtilization: 0.85"],
  },
  sglang: {
    system: "h200-sxm-8",
    layouts: [...layouts, ...expertLayouts],
    keys: ["schedulerRecvInterval: 3", "gpuMemoryUtilization: 0.85"],
  },
  "sglang-rocm": { system: "mi300x-8", layouts: [...layouts, ...expertLayouts], keys: ["schedulerRecvInterval: 3"] },
  "tensorrt-llm": {
    system: "h100-sxm-8",
    layouts: [...layouts, ...expertLayouts],
    keys: ["gpuMemoryUtilization: 0.85", "blockSize: 32"],
  },
  "llama.cpp": { system: "l40s-8", layouts: ["{ tp: 1 }", "{ pp: 2 }", "{ tp: 1, replicas: 2 }"], keys: [] },
  ktransformers: { system: "h100-sxm-8", layouts: ["{ tp: 1 }", "{ tp: 2 }"], keys: [] },
};

const drawnScenario = fc.constantFrom(...engineIds).chain((id) => {
  const { system, layouts: all, keys } = ofEngines[id]!;
  return fc.record({
    id: fc.constant(id),
    system: fc.constant(system),
    parallel: fc.constantFrom(...all),
    keys: fc.subarray([...commonKeys, ...keys]),
    placed: fc.constantFrom("{}", "{ placement: { kind: round-robin } }", "{ placement: { kind: contiguous } }"),
    devicesPerNode: fc.constantFrom(4, 8),
    model: fc.constantFrom("{ id: qwen3-30b-a3b }", "{ id: gpt-oss-20b }", "{ id: qwen3-30b-a3b, kvCacheDtype: fp8 }"),
  });
});

test("what a scenario can say is in files that are taken, whatever it is", async () => {
  const seen = new Set<string>();
  let deployments = 0;
  await fc.assert(
    fc.asyncProperty(drawnScenario, async ({ id, system, parallel, keys, placed, devicesPerNode, model }) => {
      const text = scenario({
        engine: `{ ${[`id: ${id}`, ...keys].join(", ")} }`,
        parallel,
        policy: placed,
        model,
        hardware: `{ system: ${system}, devicesPerNode: ${devicesPerNode} }`,
      });
      // What an engine does not start, or a system does not hold, is refused before.
      const one = await deployed(text).catch(() => null);
      if (one === null) return;
      deployments++;
      seen.add(id);
      await checkDeployment(one, sh);
    }),
    { numRuns: 30 },
  );
  expect(deployments).toBeGreaterThan(10);
  expect(seen.size).toBeGreaterThan(3);
}, 120_000);

test("a bundled scenario of pools is deployed pool by pool", async () => {
  const one = await deployedFile("scenarios/deepseek-h200-pools.yaml");
  await checkDeployment(one, sh);
  expect(one.deployment.engine).toBe("sglang");
  expect(one.deployment.files.map(({ path }) => path)).toEqual([
    "prefill-0/launch.sh",
    "decode-1/launch.sh",
    "kubernetes.yaml",
    "requests.jsonl",
    "bench.sh",
  ]);
});
