import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { AdviceRule, Situation } from "../../../src/forecast/advice/advice-rule.ts";
import { adviceRules } from "../../../src/forecast/advice/advice-rules.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { timeComponents } from "../../../src/sim/result.ts";
import { everyOther } from "../../drawn.ts";
import { forecast } from "../../report/build.ts";
import { longPrompts, oneDevice, recorded, scenarioText, skewedExperts } from "./advised.ts";

const noFiles = { readText: () => Promise.reject(new Error("no files")) };
const parsed = (text: string, settings: readonly string[] = []) =>
  parseScenario(text, "scenarios/advised.yaml", { settings });

async function situationOf(text: string, settings: readonly string[] = []): Promise<Situation> {
  const scenario = parsed(text, settings);
  const { config } = await resolveScenario(scenario, noFiles);
  return { config, forecast: forecast(), policy: scenario.policy, policies: scenario.policies };
}

const offloaded = scenarioText(
  "{ id: gpt-oss-20b, dtypes: { experts: bf16 } }",
  "rtx4090-desktop",
  `engine: { id: vllm, maxModelLen: 4096, maxNumSeqs: 4 }
${recorded}
policy: { offload: { kind: fifo, slots: 8, overlap: false, hostMemory: 20GiB } }`,
);
const spread = scenarioText(
  "{ id: qwen3-30b-a3b }",
  "h100-sxm-8",
  `engine: { id: vllm, maxNumSeqs: 4, enableChunkedPrefill: false, enablePrefixCaching: false, speculative: { method: ngram, draftTokens: 4, acceptance: 0.5 } }
parallel: { tp: 2, dp: 2, pp: 2, ep: 2, etp: 2 }
policy: { router: round-robin }
routing: { kind: uniform }`,
);
const balanced = skewedExperts("policy: { placement: { kind: eplb, redundant: 4 } }");
const moving = skewedExperts(
  "policy: { placement: { kind: trivial, redundant: 4, rebalance: { kind: vllm, interval: 100, async: false } } }",
);
/** With a parameter that no other cache policy has. */
const fading = offloaded.replace("kind: fifo", "kind: lfu, halfLife: 50");
const texts = { longPrompts, oneDevice, skewed: skewedExperts(), balanced, moving, offloaded, fading, spread };

describe.each(everyOther(Object.entries(texts)))("every rule on %s", (_name, text) => {
  test("sets keys of a valid scenario, to values they do not have", async () => {
    const situation = await situationOf(text);
    for (const [name, rule] of Object.entries<AdviceRule>(adviceRules)) {
      const change = rule.change(situation);
      if (change === null) continue;
      expect(change.text.length, name).toBeGreaterThan(5);
      const varied = parsed(text, change.set);
      const value = (scenario: ReturnType<typeof parsed>) => JSON.stringify({ ...scenario, overrides: [] });
      expect(value(varied), name).not.toBe(value(parsed(text)));
      try {
        await resolveScenario(varied, noFiles);
      } catch (error) {
        // Kernel groups and placements may refuse what the mapping allows: such a change is not tried.
        expect(error, name).toBeInstanceOf(InvalidInputError);
      }
      // What has been done is not advised again.
      expect(rule.change(await situationOf(text, change.set))?.set, name).not.toEqual(change.set);
    }
  });
});

test("every component that can be a bottleneck has advice", () => {
  const causes = new Set(Object.values<AdviceRule>(adviceRules).flatMap((rule) => rule.causes));
  expect([...timeComponents, "frontEnd" as const].filter((component) => !causes.has(component))).toEqual([]);
});

describe("a rule does not apply", () => {
  const of = async (name: keyof typeof adviceRules, text: string, settings: readonly string[] = []) =>
    adviceRules[name].change(await situationOf(text, settings));

  test("where experts are balanced already: then more copies are", async () => {
    expect(await of("balancedPlacement", skewedExperts())).not.toBeNull();
    expect(await of("balancedPlacement", balanced)).toBeNull();
    const skewed = await situationOf(skewedExperts());
    const given = skewedExperts("policy: { placement: { kind: file, file: map.json } }");
    const instead = adviceRules.balancedPlacement.change({ ...skewed, policy: parsed(given).policy });
    expect(parsed(given, instead!.set).policy.placement).toMatchObject({ kind: "eplb", redundant: 4 });
    expect((await of("moreCopies", balanced))?.set).toEqual([
      "policy.placement.kind=eplb",
      "policy.placement.redundant=8",
    ]);
    expect(await of("moreCopies", skewedExperts())).toBeNull();
  });

  test("where experts stay, or move beside forward passes already: then less often", async () => {
    for (const name of ["movesBeside", "rebalancedLess"] as const) expect(await of(name, balanced)).toBeNull();
    expect((await of("movesBeside", moving))?.set).toEqual(["policy.placement.rebalance.async=true"]);
    expect(await of("movesBeside", moving, ["policy.placement.rebalance.async=true"])).toBeNull();
    expect((await of("rebalancedLess", moving))?.set).toEqual(["policy.placement.rebalance.interval=400"]);
    const trt = ["policy.placement.rebalance={ kind: tensorrt-llm }"];
    expect((await of("rebalancedLess", moving, trt))?.set).toEqual([
      "policy.placement.rebalance.layerUpdatesPerIter=1",
    ]);
  });

  test("where one device holds everything: nothing is spread, balanced or fetched", async () => {
    const inapplicable = [
      "balancedPlacement",
      "moreCopies",
      "fewerDataParallelRanks",
      "moreDataParallelRanks",
      "slicedExperts",
      "wholeExperts",
      "fewerStages",
      "moreSlots",
      "moreHostMemory",
      "otherCachePolicy",
      "overlappedFetches",
      "loadAwareRouter",
    ] as const;
    for (const name of inapplicable) expect(await of(name, oneDevice), name).toBeNull();
  });

  test("where flags of the engine divide experts: it has no slots and no other policy", async () => {
    const divided = (how: string) =>
      scenarioText(
        "{ id: gpt-oss-20b }",
        "rtx4070-desktop",
        `engine: { id: llama.cpp, maxModelLen: 4096, maxNumSeqs: 1 }
${recorded}
policy: { offload: { kind: static, ${how} } }`,
        { requests: 10, closed: 1, isl: 60, osl: 12 },
      );
    for (const name of ["moreSlots", "otherCachePolicy"] as const)
      expect(await of(name, divided('flags: "--n-cpu-moe 8"')), name).toBeNull();
    expect((await of("otherCachePolicy", divided("slots: 16")))?.set).toEqual(["policy.offload.kind=lru"]);
  });

  test("where routing is uniform: no expert is busier than another", async () => {
    expect(await of("balancedPlacement", longPrompts)).toBeNull();
  });

  test("where chunks are as small as steps need: a token for every sequence", async () => {
    expect((await of("smallerChunks", longPrompts))?.set).toEqual(["engine.maxNumBatchedTokens=2048"]);
    expect(await of("smallerChunks", longPrompts, ["engine.maxNumBatchedTokens=256"])).toBeNull();
    expect(
      (await of("smallerChunks", longPrompts, ["engine.maxNumBatchedTokens=2048", "engine.maxNumSeqs=1024"]))?.set,
    ).toEqual(["engine.maxNumBatchedTokens=1024"]);
  });

  test("where the model cannot be spread so", async () => {
    expect(await of("fewerDataParallelRanks", longPrompts, ["parallel.dp=1", "parallel.tp=8"])).toBeNull();
    expect(await of("moreDataParallelRanks", longPrompts, ["parallel.dp=1", "parallel.tp=8"])).not.toBeNull();
  });
});
