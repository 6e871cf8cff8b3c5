import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { flagsOf, shellText } from "../../src/offload/flags/flags-of.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";

/** OLMoE: 16 layers, all sparse, of 64 experts each. */
const text = (engine: string, offload: string, more = "") => `version: 1
name: flags
description: a small model whose experts are divided by flags
model: { id: olmoe-1b-7b }
hardware: { system: rtx4090-xeon-2s }
engine: { id: ${engine}, maxModelLen: 256, maxNumSeqs: 1, maxNumBatchedTokens: 64 }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, rows: 100, skew: 0.8 }
policy:
  offload:
    kind: static
${offload}
${more}`;
const layers = 16;
const experts = 64;

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolved = (engine: string, flags: string, more = "") =>
  resolveScenario(parseScenario(text(engine, `    flags: '${flags}'`, more), "flags.yaml"), noFiles);
const keyed = (engine: string, keys: string, more = "") =>
  resolveScenario(parseScenario(text(engine, keys, more), "flags.yaml"), noFiles);

async function problems(engine: string, flags: string, keys = ""): Promise<readonly Problem[]> {
  try {
    const all = `    flags: '${flags}'${keys === "" ? "" : `\n    ${keys}`}`;
    await resolveScenario(parseScenario(text(engine, all), "flags.yaml"), noFiles);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
}

/** What a run does, without what names the scenario. */
function outcome({ config }: Awaited<ReturnType<typeof resolved>>) {
  const { cache, endNs } = simulate(config);
  if (cache === null) throw new Error("the run had no expert cache");
  return { cache, endNs };
}

describe("flags give the resident sets that keys give", () => {
  const host = (held: readonly number[]) =>
    `    choose: uniform\n    slotsPerLayer: [${held.join(", ")}]\n    miss: { kind: host, deviceFrom: 32 }`;
  const held = (of: (layer: number) => boolean) => Array.from({ length: layers }, (_, i) => (of(i) ? experts : 0));

  test.each([
    ["--n-cpu-moe 5", held((layer) => layer >= 5)],
    ["-ngl 99 -ncmoe 16", held(() => false)],
    ["--cpu-moe", held(() => false)],
    ["-ot blk\\.(2|7)\\.ffn_.*_exps=CPU", held((layer) => layer !== 2 && layer !== 7)],
    // The first that matches counts, and -ot goes before the others.
    ["--n-cpu-moe 4 -ot blk\\.[01]\\.ffn_.*_exps=CUDA0", held((layer) => layer < 2 || layer >= 4)],
  ])("llama.cpp %s", async (flags, expected) => {
    expect(outcome(await resolved("llama.cpp", flags))).toEqual(outcome(await keyed("llama.cpp", host(expected))));
  });

  test.each([
    ["--kt-num-gpu-experts 6", "    choose: uniform\n    slots: 6\n    miss: { kind: host }"],
    [
      "--kt-gpu-experts-ratio 0.25 --kt-expert-placement-strategy frequency",
      "    choose: frequency\n    slots: 16\n    miss: { kind: host }",
    ],
    [
      "--kt-num-gpu-experts 8 --kt-expert-placement-strategy front-loading",
      `    choose: front-loading\n    scope: global\n    slots: ${8 * layers}\n    miss: { kind: host }`,
    ],
    [
      "--kt-num-gpu-experts 8 --kt-max-deferred-experts-per-token 2 --kt-gpu-prefill-token-threshold 8",
      "    choose: uniform\n    slots: 8\n    miss: { kind: deferral, experts: 2, deviceFrom: 8 }",
    ],
  ])("KTransformers %s", async (flags, keys) => {
    expect(outcome(await resolved("ktransformers", flags))).toEqual(outcome(await keyed("ktransformers", keys)));
  });

  test("over two stages too, each of which holds the experts of its own layers", async () => {
    const split = await resolved("llama.cpp", "-ot blk\\.([0-3]|[89])\\.ffn_.*_exps=CPU", "parallel: { pp: 2 }");
    const keys = host(held((layer) => layer >= 4 && layer !== 8 && layer !== 9));
    expect(outcome(split)).toEqual(outcome(await keyed("llama.cpp", keys, "parallel: { pp: 2 }")));
    const { hits, accesses } = outcome(split).cache;
    expect(hits).toBeGreaterThan(0);
    expect(hits).toBeLessThan(accesses);
  });
});

describe("flags that cannot be followed are one message at their place", () => {
  test.each([
    ["llama.cpp", "--n-cpu-moe many", /whole number/],
    ["llama.cpp", "-ngl ten", /a number of layers, or all/],
    ["llama.cpp", "-ot blk\\.99\\.ffn_.*_exps=CPU", /pattern that matches a tensor/],
    ["llama.cpp", "-ot attn_q=CPU", /routed experts alone/],
    ["ktransformers", "--kt-num-gpu-experts 65", /at most the 64 experts/],
    ["ktransformers", "--kt-num-gpu-experts 4 --kt-enable-dynamic-expert-update", /threshold beside/],
    ["ktransformers", "--kt-cpuinfer 60", /--kt-num-gpu-experts or/],
    ["vllm", "--cpu-offload-gb 10", /engine whose flags are known: llama\.cpp, ktransformers/],
  ])("%s %s", async (engine, flags, expected) => {
    const found = await problems(engine, flags);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ at: "policy.offload.flags", file: "flags.yaml", line: 12, column: 12 });
    expect(found[0]!.expected).toMatch(expected);
  });

  test.each(["slots: 3", "memory: 2GiB", "choose: frequency", "miss: { kind: host }", "slotsPerLayer: demand"])(
    "beside %s, which flags say themselves",
    async (key) => {
      const found = await problems("llama.cpp", "--cpu-moe", key);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ file: "flags.yaml", line: 13, at: `policy.offload.${key.split(":")[0]}` });
    },
  );

  test("under a cache that takes experts in", () => {
    expect(() =>
      parseScenario(text("llama.cpp", "    flags: --cpu-moe").replace("kind: static", "kind: lru"), "flags.yaml"),
    ).toThrow(/only a fixed set \(kind static\) follows flags/);
  });
});

test("the ledger has the flags, and those that nobody read", async () => {
  const { ledger } = await resolved("llama.cpp", "-ngl 99 --n-cpu-moe 3 -fa on --mlock -ub 512");
  const entry = ledger.find(({ topic }) => topic === "offload flags");
  expect(entry?.detail).toContain("not read: -fa -ub");
  const { ledger: whole } = await resolved("llama.cpp", "--n-cpu-moe 3");
  expect(whole.find(({ topic }) => topic === "offload flags")?.detail).toBe("--n-cpu-moe 3");
  expect(whole.some(({ detail }) => detail.startsWith("what-if"))).toBe(false);
});

test.each([
  ["llama.cpp", "--n-cpu-moe 5", "--n-cpu-moe 5"],
  ["llama.cpp", "-ncmoe 16 -nopo", "--cpu-moe --no-op-offload"],
  ["llama.cpp", "-ngl 12 -nkvo", "--n-gpu-layers 12 --no-kv-offload"],
  ["llama.cpp", "-ngl 0", "--n-gpu-layers 0"],
  ["llama.cpp", "-ot blk\\.(2|7)\\.ffn_.*_exps=CPU", "-ot 'blk\\.(2|7)\\.ffn_(gate|up|down)_exps\\.=CPU'"],
  [
    "llama.cpp",
    "--n-cpu-moe 2 -ot blk\\.[37]\\.ffn_(gate|up)_exps=CPU",
    "-ot 'blk\\.(0|1)\\.ffn_(gate|up|down)_exps\\.=CPU' -ot 'blk\\.(3|7)\\.ffn_(up|gate)_exps\\.=CPU'",
  ],
])("what is read of %s is written back: %s", async (engine, flags, expected) => {
  const first = await resolved(engine, flags);
  const written = shellText(flagsOf(first.config));
  expect(written).toBe(expected);
  const again = await resolved(engine, written.replaceAll("'", "''"));
  expect(outcome(again)).toEqual(outcome(first));
});

test("of KTransformers the counts are written back", async () => {
  const flags =
    "--kt-num-gpu-experts 6 --kt-expert-placement-strategy frequency --kt-gpu-prefill-token-threshold 40 --kt-max-deferred-experts-per-token 2";
  expect(shellText(flagsOf((await resolved("ktransformers", flags)).config))).toBe(flags);
});
