import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JudgeContext, judge } from "../../src/forecast/judge.ts";
import { judgeContext } from "../../src/forecast/run-metrics.ts";
import { type SloMetric, sloMetricNames, sloMetrics } from "../../src/metrics/slo-metrics.ts";
import { comparators, parseExpression, parseTarget } from "../../src/scenario/slo-expression.ts";
import type { Slo } from "../../src/scenario/slo-section.ts";
import { samplesOf } from "../../src/sim/outcome/request-latencies.ts";
import { exampleForecast } from "./example-forecast.ts";
import { ascending, fakeRun, overloadedRun } from "./fake-run.ts";

function slo(targetText: string, text: string, level: Slo["level"] = "error"): Slo {
  const target = parseTarget(targetText);
  if ("error" in target) throw new Error(target.error.expected);
  const expression = parseExpression(text, target.ok.metric);
  if ("error" in expression) throw new Error(`${targetText} ${text}: ${expression.error.expected}`);
  return { target: target.ok, expression: expression.ok, text, level };
}

/** A context with these latencies in ms, and one value for every other metric. */
function context(latenciesMs: readonly number[], scalar: number | null = null, samples = 1): JudgeContext {
  return {
    unsettled: null,
    samples: () => samplesOf(Float64Array.from(latenciesMs, (value) => value * 1e6)),
    scalar: () => ({ value: scalar, samples }),
  };
}

const oneTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe("laws of verdicts", () => {
  const anySlo = fc.constantFrom(...sloMetricNames).chain((metric) => {
    const { aggregations, dimension }: SloMetric = sloMetrics[metric];
    return fc
      .tuple(fc.constantFrom(...aggregations), fc.constantFrom(...Object.keys(comparators)), fc.nat(1000))
      .map(([kind, comparator, limit]) => {
        const left = kind === "percentile" ? "p(50)" : kind;
        const unit = kind === "rate" ? "" : { duration: "ms", rate: "/s", ratio: "", number: "" }[dimension];
        return slo(metric, `${left}${comparator}${limit}${unit}`);
      });
  });

  test("no samples never pass, whatever is compared with whatever", () => {
    fc.assert(
      fc.property(
        anySlo,
        fc.constantFrom(context([], 0, 0), context([], null, 5), context([], Number.NaN, 5)),
        (each, none) => {
          expect(judge(each, none)).toMatchObject({ passed: false, value: null, margin: null, valueText: "n/a" });
          expect(judge(each, none).reason).not.toBeNull();
        },
      ),
    );
  });

  test("no latency and no goodput of an overloaded deployment passes", () => {
    const slow = {
      ...context(
        [1, 2, 3].flatMap(() => oneTo(100)),
        1,
      ),
      unsettled: "overloaded: the backlog grows",
    };
    for (const metric of ["ttft", "tpot", "itl", "e2e", "queue"])
      expect(judge(slo(metric, "mean<1h"), slow)).toMatchObject({ passed: false, reason: slow.unsettled });
    expect(judge(slo("goodput", "rate>=0"), slow)).toMatchObject({ passed: false, reason: slow.unsettled });
    expect(judge(slo("throughput", "value>0.5"), slow)).toMatchObject({ passed: true });
  });

  test("a verdict is its comparison, and the margin is positive exactly on the passing side", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 }), (value, limit) => {
        for (const [comparator, holds] of Object.entries(comparators)) {
          const verdict = judge(slo("throughput", `value${comparator}${limit}`), context([], value));
          expect(verdict.passed).toBe(holds(value, limit));
          if (comparator !== "==" && value !== limit) expect((verdict.margin ?? 0) > 0).toBe(verdict.passed);
        }
      }),
    );
  });

  test("a percentile with fewer than ten samples beyond it passes only if all of its interval does", () => {
    const verdict = (count: number, text: string) => judge(slo("ttft", text), context(oneTo(count)));
    expect(verdict(999, "p(99)<1h")).toMatchObject({
      passed: true,
      samples: 999,
      reason: null,
    });
    // Beyond p99 of 999 lie 4 to 17 samples, with a probability of 0.95.
    const [low, high] = [999 - 17, 999 - 3];
    expect(verdict(999, "p(99)<2s").interval).toEqual({ low: low / 1e3, high: high / 1e3 });
    expect(verdict(999, `p(99)<=${high}ms`)).toMatchObject({ passed: true, reason: null });
    expect(verdict(999, `p(99)<${high}ms`)).toMatchObject({
      passed: false,
      valueText: `989 ms (${low} ms to ${high} ms)`,
      reason: "the 95% interval does not clear the limit: 999 of 1,000 samples for p(99)",
    });
    expect(verdict(999, `p(99)>=${low}ms`).passed).toBe(true);
    expect(verdict(999, `p(99)>${low}ms`).passed).toBe(false);
    expect(verdict(1000, "p(99)<1h")).toMatchObject({ passed: true, samples: 1000, interval: null, reason: null });
  });

  test("no upper limit holds for a percentile that may lie beyond the maximum, a lower one may", () => {
    const verdict = (text: string) => judge(slo("ttft", text), context(oneTo(209)));
    expect(verdict("p(99)<1h")).toMatchObject({ passed: false, interval: { high: null } });
    expect(verdict("p(99)<1h").valueText).toMatch(/^207 ms \(at least 20\d ms\)$/);
    expect(verdict("p(99)>200ms").passed).toBe(true);
    expect(judge(slo("ttft", "p(50)>0ms"), context([1, 2])).passed).toBe(false);
    expect(judge(slo("ttft", "p(50)<1h"), context([1, 2])).valueText).toContain("anything");
  });
});

describe("values", () => {
  test("are type-7 percentiles, in the unit of the expression", () => {
    expect(judge(slo("e2e", "p(90)<1s"), context(oneTo(101)))).toMatchObject({
      passed: true,
      value: 0.091,
      valueText: "91 ms",
    });
    expect(judge(slo("e2e", "p(90)<90ms"), context(oneTo(101)))).toMatchObject({ passed: false, value: 91 });
  });

  test("mean, min and max are those of the samples", () => {
    const value = (text: string) => judge(slo("e2e", text), context([4, 1, 7])).value;
    expect([value("mean<1s"), value("min<1ms"), value("max<1ms")]).toEqual([0.004, 1, 7]);
  });

  test("shares are in per cent where the expression is", () => {
    const verdict = judge(slo("expertCacheHit", "rate>50%"), context([], 0.75));
    expect(verdict.value).toBeCloseTo(75, 9);
    expect(verdict).toMatchObject({ passed: true, valueText: "75.00%", margin: 0.5 });
    expect(judge(slo("expertCacheHit", "rate>0.8"), context([], 0.75))).toMatchObject({
      passed: false,
      value: 0.75,
    });
  });
});

describe("the metrics of a run", () => {
  const limits = { ttft: 400e6, e2e: 1e9 };
  const judged = (text: string, expression: string, run = fakeRun(ascending(1200))) =>
    judge(
      slo(text, expression),
      judgeContext({
        run,
        limits,
        noCost: "no price for a device: set cost.usdPerDeviceHour",
        figures: {
          ...exampleForecast("", run),
          throughput: {
            durationS: 10,
            requestsPerSecond: 120,
            outputTokensPerSecond: 1320,
            outputTokensPerSecondPerDevice: 660,
            totalTokensPerSecond: 2000,
            meanBatchTokens: 4,
            goodput: null,
          },
          cost: null,
          experts: null,
        },
      }),
    );

  test("goodput is the share of requests within every limit", () => {
    // TTFT is half of E2E: 800 requests have TTFT <= 400 ms, all of them E2E <= 1 s.
    expect(judged("goodput", "rate>60%")).toMatchObject({ passed: true, samples: 1200 });
    expect(judged("goodput", "rate>60%").value).toBeCloseTo((800 / 1200) * 100, 9);
  });

  test("an untagged metric covers all classes, a tagged one its own", () => {
    const run = fakeRun([
      ...oneTo(30).map((at) => ({ arrivalMs: at, e2eMs: 10, requestClass: "chat" })),
      ...oneTo(10).map((at) => ({ arrivalMs: at, e2eMs: 50, requestClass: "code" })),
    ]);
    const mean = (target: string) => judged(target, "mean<1ms", run).value;
    expect([mean("e2e{class:chat}"), mean("e2e{class:code}"), mean("e2e")]).toEqual([10, 50, 20]);
    expect(judged("e2e{class:none}", "mean<1ms", run)).toMatchObject({ passed: false, reason: "no samples" });
  });

  test("rejected requests are counted, or given as a share", () => {
    const run = fakeRun([
      ...oneTo(99).map((at) => ({ arrivalMs: at })),
      { arrivalMs: 100, status: "rejected" as const },
    ]);
    expect(judged("rejected", "value==1", run)).toMatchObject({ passed: true, value: 1 });
    expect(judged("rejected", "rate<1%", run)).toMatchObject({ passed: false, samples: 100 });
    // Of an interrupted run those count that arrived, of a class its own.
    const part = fakeRun([
      { arrivalMs: 0, requestClass: "chat" },
      ...oneTo(3).map((at) => ({ arrivalMs: at, requestClass: "code", status: "rejected" as const })),
      ...oneTo(96).map((at) => ({ arrivalMs: 9 + at, requestClass: "code", status: "notArrived" as const })),
    ]);
    expect(judged("rejected", "rate<1%", part)).toMatchObject({ value: 75, samples: 4 });
    expect(judged("rejected{class:code}", "rate<1%", part)).toMatchObject({ value: 100, samples: 3 });
  });

  test("what the run does not have fails with its reason", () => {
    expect(judged("expertCacheHit", "rate>0").reason).toBe("no expert cache: policy.offload is not set");
    expect(judged("costUsdPerMtok", "value<9").reason).toBe("no price for a device: set cost.usdPerDeviceHour");
    expect(judged("imbalance", "value<9").reason).toBe("no routed experts");
  });

  test("scalars are those of the run", () => {
    expect(judged("kvPeak", "rate<30%").valueText).toBe("25.00%");
    expect(judged("preemptions", "value<4").value).toBe(3);
    expect(judged("throughput", "value>1").value).toBe(1320);
    expect(judged("throughputPerDevice", "value>1").value).toBe(660);
    expect(judged("requestRate", "value>7200/min").value).toBeCloseTo(7200, 6);
  });

  test("an overloaded run, and one too short to tell, fail their latencies and say why; throughput is what it is", () => {
    for (const [run, why] of [
      [overloadedRun(1200), /^overloaded: .* requests that wait grew/],
      [fakeRun(ascending(20), { load: { kind: "open" } }), /^too short to tell: .* about [\d,]+ requests would do/],
    ] as const)
      for (const expression of ["p(50)<1h", "mean<1h"]) {
        const verdict = judged("ttft", expression, run);
        expect(verdict).toMatchObject({ passed: false, value: null });
        expect(verdict.reason).toMatch(why);
      }
    expect(judged("goodput", "rate>=0", overloadedRun(1200)).passed).toBe(false);
    expect(judged("throughput", "value>1", overloadedRun(1200)).passed).toBe(true);
  });
});
