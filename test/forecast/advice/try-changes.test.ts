import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/core/json.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { further } from "../../drawn.ts";
import { forecastOf, longPrompts, oneDevice, recorded, scenarioText, skewedExperts } from "./advised.ts";

const offloaded = (policy: string) =>
  scenarioText(
    "{ id: gpt-oss-20b, dtypes: { experts: bf16 } }",
    "rtx4090-desktop",
    `engine: { id: vllm, maxModelLen: 4096, maxNumSeqs: 4, maxNumBatchedTokens: 512 }
${recorded}
policy: { offload: { ${policy} } }`,
    { requests: 10, closed: 1, isl: 60, osl: 12 },
  );
const uniform = "routing: { kind: uniform, popularityCv: 0.5 }";
const qwen = (parts: string, traffic = {}) =>
  scenarioText(
    "{ id: qwen3-30b-a3b }",
    "h100-sxm-8",
    `engine: { id: vllm, maxModelLen: 16384 }\n${parts}\n${uniform}`,
    traffic,
  );

/** A dozen deployments with bottlenecks of every kind. */
const deployments: Readonly<Record<string, string>> = {
  "long prompts": longPrompts,
  "one device": oneDevice,
  "skewed experts": skewedExperts(),
  "skewed experts, balanced": skewedExperts("policy: { placement: { kind: eplb, redundant: 4 } }"),
  "few slots": offloaded("kind: lru, slots: 6"),
  "few slots, all waiting": offloaded("kind: lru, slots: 12, overlap: false"),
  "half the slots, first in first out": offloaded("kind: fifo, slots: 14"),
  "tensor parallelism": qwen("parallel: { tp: 4, etp: 4, ep: 1 }"),
  "pipeline stages": qwen("parallel: { pp: 4 }"),
  "long contexts": qwen("parallel: { dp: 2, ep: 2 }", { closed: 32, isl: 3000, osl: 60 }),
  "a failing TTFT": `${qwen("parallel: { tp: 2 }", { closed: 48, isl: 2000 })}slo: { ttft: p(50)<50ms }\n`,
  "an overloaded replica": qwen("parallel: { tp: 2 }", { requests: 100, isl: 3000 }).replace(
    /\{ kind: closed.*/,
    "{ kind: poisson, requestRate: 40/s }",
  ),
};

const read: Readonly<Record<string, (forecast: Forecast) => number | null>> = {
  "TPOT p50": ({ latency }) => latency.tpot.p50,
  "TPOT mean": ({ latency }) => latency.tpot.mean,
  "TTFT p50": ({ latency }) => latency.ttft.p50,
  "output tokens/s": ({ throughput }) => -throughput.outputTokensPerSecond,
};

/** One of each kind of bottleneck: prompts, experts, missing experts, and an SLO that fails. */
const few = ["long prompts", "skewed experts", "few slots", "a failing TTFT"];
const others = Object.keys(deployments).filter((name) => !few.includes(name));

describe.each([...few, ...further(others)])("advice on %s", (name) => {
  const text = deployments[name]!;

  test("improves its metric in a fresh run of as many requests, and is no key that is set already", async () => {
    const { bottleneck } = await forecastOf(text, [], true);
    const { advice } = bottleneck;
    expect(advice).not.toBeNull();
    if (advice === null) return;
    const length = `traffic.requests=${advice.requests}`;
    const before = await forecastOf(text, [length]);
    for (const { set, metric, before: was, after: is } of advice.helps) {
      const of = read[metric];
      expect(of, metric).toBeDefined();
      const after = await forecastOf(text, [length, ...set]);
      expect(Math.abs(of!(before)!)).toBeCloseTo(was, 9);
      expect(Math.abs(of!(after)!)).toBeCloseTo(is, 9);
      expect(of!(after)!).toBeLessThan(of!(before)!);
      expect(canonicalJson({ ...after, inputs: [] })).not.toBe(canonicalJson({ ...before, inputs: [] }));
    }
  });
});

describe("the cause decides the advice", () => {
  test("ranks that wait for another rank's prompt are told to take smaller chunks, not to balance experts", async () => {
    const { bottleneck } = await forecastOf(longPrompts, [], true);
    expect(bottleneck.component).toBe("promptWait");
    const sets = bottleneck.advice?.helps.flatMap(({ set }) => set) ?? [];
    expect(sets).toContain("engine.maxNumBatchedTokens=2048");
    expect(sets.join(" ")).not.toContain("placement");
  });

  test("one device with everything resident is not told to spread its experts", async () => {
    const { bottleneck } = await forecastOf(oneDevice, [], true);
    expect(bottleneck.component).toBe("experts");
    expect(bottleneck.advice?.helps.flatMap(({ set }) => set).join(" ")).not.toContain("parallel");
  });

  test("models that take turns on the same devices are told nothing: rules know replicas with devices of their own", async () => {
    const variants = `${qwen("pools: [{ name: all, variants: 2 }]\nmodelCache: { kvMemory: 4GiB }")}slo: { ttft: p(50)<1ms }\n`;
    expect((await forecastOf(variants, ["traffic.requests=24"], true)).bottleneck.advice).toBeNull();
  });

  test("nothing is tried unless asked for, nor once aborted", async () => {
    expect((await forecastOf(oneDevice)).bottleneck.advice).toBeNull();
    const controller = new AbortController();
    const { bottleneck, interrupted } = await forecastScenario(parseScenario(oneDevice, "test.yaml"), {
      readText: () => Promise.reject(new Error("no files")),
      advice: true,
      signal: controller.signal,
      // The run itself is over by then.
      onProgress: (done, total) => {
        if (done === total) controller.abort();
      },
    });
    expect(interrupted).toBe(false);
    expect(bottleneck.advice).toBeNull();
  });

  test("the same run gives the same advice, and trying changes no other figure", async () => {
    const [once, again, without] = await Promise.all([
      forecastOf(oneDevice, [], true),
      forecastOf(oneDevice, [], true),
      forecastOf(oneDevice),
    ]);
    expect(canonicalJson(once)).toBe(canonicalJson(again));
    expect(canonicalJson({ ...once, bottleneck: without.bottleneck })).toBe(canonicalJson(without));
  });
});
