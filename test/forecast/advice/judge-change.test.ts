import { describe, expect, test } from "vitest";
import { adviceMetric, tokenRate } from "../../../src/forecast/advice/advice-metric.ts";
import { judgeChange } from "../../../src/forecast/advice/judge-change.ts";
import { trialRequests, trialStepsMax } from "../../../src/forecast/advice/trial-length.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { forecast, stats, verdict } from "../../report/build.ts";
import { minimal } from "../../scenario/example.ts";
import { resolved } from "../example-forecast.ts";

const stable = { ...forecast().load, verdict: "stable" } as const;
const overloaded = { ...stable, verdict: "overloaded" } as const;
const run = (parts: { tpot?: number; ttft?: number; rate?: number; n?: number } & Partial<Forecast> = {}): Forecast => {
  const { tpot = 20, ttft = 500, rate = 1000, n = 2000, ...rest } = parts;
  const base = forecast();
  return forecast({
    load: stable,
    slos: [],
    latency: { ...base.latency, tpot: stats(tpot, n), ttft: stats(ttft, n) },
    throughput: { ...base.throughput, outputTokensPerSecond: rate },
    ...rest,
  });
};
const change = { text: "a change", set: ["a=1"] };
const scenario = (slo = "") => parseScenario(minimal + slo, "test.yaml");
const tpot = adviceMetric(scenario(), run(), run());

describe("a change is advice", () => {
  test("if it improves the metric by more than a fiftieth, and says by how much", () => {
    const found = judgeChange(change, tpot, run(), run({ tpot: 10 }));
    expect(found?.advice).toEqual({ ...change, metric: "TPOT p50", unit: "ms", before: 18, after: 9, costs: [] });
    expect(found?.gain).toBe(2);
    expect(judgeChange(change, tpot, run(), run({ tpot: 19.7 }))).toBeNull();
    expect(judgeChange(change, tpot, run(), run({ tpot: 30 }))).toBeNull();
    expect(judgeChange(change, tokenRate, run(), run({ rate: 1100 }))?.advice).toMatchObject({
      before: 1000,
      after: 1100,
    });
    expect(judgeChange(change, tokenRate, run(), run({ rate: 900 }))).toBeNull();
  });

  test("with what it costs, and not if it costs more than twice what it gains", () => {
    const dearer = judgeChange(change, tpot, run(), run({ tpot: 10, ttft: 700 }));
    expect(dearer?.advice.costs).toEqual([{ metric: "TTFT p50", unit: "ms", before: 450, after: 630 }]);
    expect(judgeChange(change, tpot, run(), run({ tpot: 18, ttft: 620 }))).toBeNull();
    expect(judgeChange(change, tpot, run(), run({ tpot: 18, ttft: 600 }))).not.toBeNull();
    expect(judgeChange(change, tpot, run(), run({ tpot: 10, rate: 300 }))).toBeNull();
  });

  test("not if it breaks an SLO that held, rejects requests or overloads the deployment", () => {
    const better = { tpot: 10 };
    const held = run({ slos: [verdict()] });
    expect(judgeChange(change, tpot, held, run({ ...better, slos: [verdict()] }))).not.toBeNull();
    expect(judgeChange(change, tpot, held, run({ ...better, slos: [verdict({ passed: false })] }))).toBeNull();
    const requests = { ...forecast().requests, rejected: forecast().requests.rejected + 1 };
    expect(judgeChange(change, tpot, run(), run({ ...better, requests }))).toBeNull();
    expect(judgeChange(change, tpot, run(), run({ ...better, load: overloaded }))).toBeNull();
  });
});

describe("the metric that matters", () => {
  const failing = verdict({ passed: false });
  test("is that of the first failing SLO, at a percentile that short runs can tell", () => {
    const slo = scenario("slo:\n  ttft: p(99)<1ms\n  tpot: p(50)<1ms\n");
    const judged = (first: boolean) => run({ slos: [{ ...failing, passed: first }, failing] });
    expect(adviceMetric(slo, judged(false), run()).name).toBe("TTFT p99");
    expect(adviceMetric(slo, judged(false), run({ n: 300 })).name).toBe("TTFT p95");
    expect(adviceMetric(slo, judged(false), run({ n: 30 })).name).toBe("TTFT p50");
    expect(adviceMetric(slo, judged(false), run({ n: 6 })).name).toBe("TTFT mean");
    expect(adviceMetric(slo, judged(true), run()).name).toBe("TPOT p50");
  });

  test("of an SLO on one figure goes the way the SLO wants it", () => {
    const slo = scenario("slo:\n  throughput: value>5\n");
    expect(adviceMetric(slo, run({ slos: [failing] }), run())).toMatchObject({
      name: "output tokens/s",
      lowerIsBetter: false,
    });
    const cost = scenario("slo:\n  costUsdPerMtok: value<5\n");
    expect(adviceMetric(cost, run({ slos: [failing] }), run())).toMatchObject({ name: "$/Mtok", lowerIsBetter: true });
  });

  test("without one is the median TPOT, the token rate of an overloaded deployment, TTFT where there is no TPOT", () => {
    expect(tpot.name).toBe("TPOT p50");
    expect(adviceMetric(scenario(), run({ load: overloaded }), run())).toBe(tokenRate);
    const single = run();
    const none = { ...single, latency: { ...single.latency, tpot: { ...stats(1, 0), mean: null, p50: null } } };
    expect(adviceMetric(scenario(), none, none).name).toBe("TTFT p50");
    // A latency of a queue that only grows is no figure to improve.
    const slo = scenario("slo:\n  ttft: p(99)<1ms\n");
    expect(adviceMetric(slo, run({ slos: [failing], load: overloaded }), run())).toBe(tokenRate);
  });
});

describe("a trial", () => {
  const { config } = resolved;
  const of = (total: number, steps: number, warmup = 0, parts: Partial<typeof config> = {}) =>
    trialRequests({ ...config, ...parts }, { requests: { ...forecast().requests, total, warmup } }, steps);

  test("has an eighth of the requests, enough counted ones, and clients enough to fill the batch", () => {
    expect(of(1000, 10)).toBe(125);
    expect(of(100, 10, 5)).toBe(37);
    expect(of(20, 10)).toBe(20);
    const workload = { ...config.workload, kind: "closed", concurrency: 100 } as const;
    expect(of(1000, 10, 0, { workload })).toBe(400);
  });

  test("has no more steps than a bound that no clock sets, and is none where it would say nothing", () => {
    expect(of(1000, 100_000)).toBe(75);
    expect(of(1000, 10_000_000)).toBeNull();
    expect(trialStepsMax(1000, 100, 1000)).toBe(1400);
  });
});
