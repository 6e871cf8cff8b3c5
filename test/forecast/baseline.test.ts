import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { comparedWith, compareForecasts, limitNames } from "../../src/forecast/baseline.ts";
import { comparedMetrics } from "../../src/forecast/compared-metrics.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { exampleForecast } from "./example-forecast.ts";
import { ascending, type FakeRequest, fakeRun } from "./fake-run.ts";

const before: Forecast = { ...exampleForecast(), sections: null };

/** The forecast with one number changed. */
function with_(change: (forecast: Mutable<Forecast>) => void): Forecast {
  const copy = structuredClone(before) as Mutable<Forecast>;
  change(copy);
  return copy as Forecast;
}

type Mutable<T> = { -readonly [Key in keyof T]: Mutable<T[Key]> };

const within = (percent: number, byName: Readonly<Record<string, number>> = {}) => ({ default: percent / 100, byName });

const failed = (after: Forecast, percent = 5, from = before) =>
  compareForecasts(from, after, within(percent))
    .filter((delta) => delta.failed)
    .map((delta) => delta.metric);

describe("a comparison with a baseline", () => {
  test("finds no regression between equal forecasts, whatever is allowed", () => {
    for (const percent of [0, 5, 100]) expect(failed(before, percent)).toEqual([]);
    expect(compareForecasts(before, before, within(0)).length).toBeGreaterThan(5);
  });

  test("fails a latency that rose by more than allowed, and not one that fell", () => {
    const latency = (factor: number) =>
      with_((forecast) => {
        forecast.latency.e2e.p50 = (forecast.latency.e2e.p50 ?? 0) * factor;
      });
    expect(failed(latency(1.06))).toEqual(["e2e.p50"]);
    expect(failed(latency(1.04))).toEqual([]);
    expect(failed(latency(0.1))).toEqual([]);
  });

  test("fails a throughput that fell by more than allowed, and not one that rose", () => {
    const throughput = (factor: number) =>
      with_((forecast) => {
        forecast.throughput.outputTokensPerSecond *= factor;
      });
    expect(failed(throughput(0.94))).toEqual(["throughput"]);
    expect(failed(throughput(0.96))).toEqual([]);
    expect(failed(throughput(2))).toEqual([]);
  });

  test("gives the regression as a share of the baseline, positive when worse", () => {
    const half = with_((forecast) => {
      forecast.throughput.outputTokensPerSecond /= 2;
    });
    const delta = compareForecasts(before, half).find(({ metric }) => metric === "throughput");
    expect(delta?.regression).toBeCloseTo(0.5, 12);
  });

  test("fails what is missing now, and leaves out what was missing before", () => {
    const missing = with_((forecast) => {
      forecast.latency.ttft.p50 = null;
    });
    expect(compareForecasts(before, missing, within(100)).find(({ metric }) => metric === "ttft.p50")).toEqual({
      metric: "ttft.p50",
      unit: "ms",
      before: before.latency.ttft.p50,
      after: null,
      worseBy: null,
      regression: null,
      limit: 1,
      halfWidth: null,
      failed: true,
    });
    expect(compareForecasts(missing, before).map(({ metric }) => metric)).not.toContain("ttft.p50");
  });

  test("refuses a negative or infinite limit", () => {
    for (const percent of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => compareForecasts(before, before, within(percent))).toThrow("shares of 0 or more");
  });
});

/** Requests whose time to the first token and latency are drawn, one every 10 ms. */
function drawn(seed: number, scale = (_request: number) => 1): FakeRequest[] {
  const rng = new RandomStream(seed, "latencies");
  return Array.from({ length: 1500 }, (_, i) => {
    const ttftMs = (5 - 20 * Math.log(1 - rng.uniform())) * scale(i);
    return { arrivalMs: 10 * i, queueMs: ttftMs / 2, ttftMs, e2eMs: ttftMs + 200 * scale(i), outputTokens: 11 };
  });
}

const forecastOf = (requests: FakeRequest[]) =>
  exampleForecast("slo: { perRequest: { ttft: 60ms } }\n", fakeRun(requests));

describe("limits", () => {
  const slower = with_((forecast) => {
    forecast.latency.e2e.p50 = (forecast.latency.e2e.p50 ?? 0) * 1.2;
    forecast.latency.tpot.mean = (forecast.latency.tpot.mean ?? 0) * 1.2;
  });
  const failing = (byName: Readonly<Record<string, number>>) =>
    compareForecasts(before, slower, within(5, byName)).flatMap(({ failed: bad, metric }) => (bad ? [metric] : []));

  test("hold for one metric, or for all figures of a latency; the metric's own comes first", () => {
    expect(failing({})).toEqual(["tpot.mean", "e2e.p50"]);
    expect(failing({ "e2e.p50": 0.25 })).toEqual(["tpot.mean"]);
    expect(failing({ e2e: 0.25, tpot: 0.25 })).toEqual([]);
    expect(failing({ e2e: 0.25, "e2e.p50": 0.1 })).toEqual(["tpot.mean", "e2e.p50"]);
    expect(failing({ "e2e.p99": 0.25, throughput: 0 })).toEqual(["tpot.mean", "e2e.p50"]);
  });

  test("can be given for every metric and latency by name", () => {
    for (const name of [...comparedMetrics.map((metric) => metric.name), "ttft", "tpot", "itl", "e2e", "queue"])
      expect(limitNames).toContain(name);
    expect(new Set(limitNames).size).toBe(limitNames.length);
  });
});

test("getting worse from zero fails whatever the limit", () => {
  const idle = forecastOf(drawn(1).map((request) => ({ ...request, queueMs: 0 })));
  const waits = forecastOf(drawn(1).map((request) => ({ ...request, queueMs: 1 })));
  expect(idle.latency.queue.p50).toBe(0);
  expect(failed(waits, 100_000, idle)).toEqual(["queue.mean", "queue.p50", "queue.p90", "queue.p99"]);
  expect(failed(idle, 0, waits)).toEqual([]);
});

describe("the interval of a difference", () => {
  test("of two runs with the same draws is narrow: a change of every request by 6% fails", () => {
    const slower = compareForecasts(forecastOf(drawn(1)), forecastOf(drawn(1, () => 1.06)));
    for (const name of ["ttft.mean", "ttft.p50", "ttft.p90", "ttft.p99", "tpot.mean", "e2e.mean", "queue.p99"])
      expect(slower.find(({ metric }) => metric === name)).toMatchObject({ failed: true });
  });

  test("forgives what happened in one part of the run alone, and not what happened in all", () => {
    const burst = forecastOf(drawn(1, (request) => (request < 150 ? 3 : 1)));
    const [mean] = compareForecasts(forecastOf(drawn(1)), burst);
    expect(mean).toMatchObject({ metric: "ttft.mean", failed: false });
    expect(mean?.regression).toBeGreaterThan(0.15);
    expect(mean?.halfWidth).toBeGreaterThan(mean?.worseBy ?? 0);
    const [all] = compareForecasts(forecastOf(drawn(1)), forecastOf(drawn(1, () => 1.2)));
    expect(all).toMatchObject({ failed: true });
  });

  test("seldom takes other draws of one distribution for a regression, where the limit alone often does", () => {
    const runs = Array.from({ length: 12 }, (_, seed) => forecastOf(drawn(seed)));
    const deltas = runs.flatMap((one) => runs.flatMap((two) => compareForecasts(one, two, within(2))));
    const latencies = deltas.filter(({ metric }) => /^(ttft|e2e|queue)/.test(metric));
    const beyond = latencies.filter(({ regression, limit }) => (regression ?? 0) > limit).length;
    const failures = latencies.filter((delta) => delta.failed).length;
    expect(beyond / latencies.length).toBeGreaterThan(0.2);
    expect(failures / latencies.length).toBeLessThan(0.02);
  });

  test("is not known where a run keeps no sections; then the limit decides", () => {
    const [whole, bare] = [forecastOf(drawn(1)), { ...forecastOf(drawn(1, () => 1.06)), sections: null }];
    for (const [from, to] of [
      [whole, bare],
      [{ ...whole, sections: null }, forecastOf(drawn(1, () => 1.06))],
    ] as const) {
      const [mean] = compareForecasts(from, to);
      expect(mean).toMatchObject({ metric: "ttft.mean", halfWidth: null, failed: true });
    }
  });

  test("is not known where sections of an edited baseline give none; then the limit decides", () => {
    const after = forecastOf(drawn(1, () => 1.06));
    for (const zero of [[0], [0, ...Array<number>(9).fill(1e308)]]) {
      const from = structuredClone(forecastOf(drawn(1))) as Mutable<Forecast>;
      if (from.sections?.latency.ttft) from.sections.latency.ttft.mean = zero;
      const other = structuredClone(after) as Mutable<Forecast>;
      if (other.sections?.latency.ttft) other.sections.latency.ttft.mean = zero.map((value) => -value);
      const [mean] = compareForecasts(from as Forecast, other as Forecast);
      expect(mean).toMatchObject({ metric: "ttft.mean", halfWidth: null, failed: true });
    }
  });

  test("is known for the rates, goodput, cost and energy too", () => {
    const deltas = compareForecasts(forecastOf(drawn(1)), forecastOf(drawn(2)));
    for (const name of ["throughput", "throughputPerDevice", "requestRate", "goodput", "costUsdPerMtok"])
      expect(deltas.find(({ metric }) => metric === name)?.halfWidth, name).toBeGreaterThan(0);
    expect(deltas.find(({ metric }) => metric === "joulesPerOutputToken")?.halfWidth).toBeGreaterThan(0);
  });
});

test("sections average to the whole: means exactly where they are equally long, rates over their time", () => {
  const { sections, latency, throughput, energy, cost } = forecastOf(drawn(3));
  const average = (values: readonly number[] | null | undefined) =>
    (values ?? []).reduce((sum, value) => sum + value, 0) / 10;
  expect(average(sections?.latency.ttft?.mean)).toBeCloseTo(latency.ttft.mean ?? 0, 9);
  expect(average(sections?.goodput)).toBeCloseTo(throughput.goodput ?? 0, 12);
  const inverse = average(sections?.outputTokensPerSecond?.map((rate) => 1 / rate));
  expect(1 / inverse).toBeCloseTo(throughput.outputTokensPerSecond, 6);
  const [costSections, energySections] = ["costUsdPerMtok", "joulesPerOutputToken"].map((name) =>
    comparedMetrics.find((metric) => metric.name === name)?.sections(forecastOf(drawn(3))),
  );
  expect(average(costSections)).toBeCloseTo(cost?.usdPerMillionOutputTokens ?? 0, 9);
  expect(average(energySections)).toBeCloseTo(energy?.joulesPerOutputToken ?? 0, 9);
});

test("sections of rates go by completion, in whatever order the requests arrived", () => {
  // Request i arrives at i ms and completes at 1000 - i: two every section, 2 ms for all but the first.
  const backwards = Array.from({ length: 20 }, (_, i) => ({ arrivalMs: i, e2eMs: 1000 - 2 * i, outputTokens: 1 + i }));
  const { requestsPerSecond, outputTokensPerSecond } = exampleForecast("", fakeRun(backwards)).sections ?? {};
  const seconds = Array.from({ length: 10 }, (_, section) => (section === 0 ? 0.982 : 0.002));
  for (const [section, duration] of seconds.entries()) {
    expect(requestsPerSecond?.[section]).toBeCloseTo(2 / duration, 6);
    // The last requests complete first: 20 and 19 tokens, then 18 and 17.
    expect(outputTokensPerSecond?.[section]).toBeCloseTo((39 - 4 * section) / duration, 6);
  }
});

test("sections of latencies 1, 2, ... 1200 ms have the quantiles of 120 whole numbers", () => {
  const found = exampleForecast("", fakeRun(ascending(1200))).sections?.latency.e2e;
  for (const [part, p] of [
    ["p50", 0.5],
    ["p90", 0.9],
    ["p99", 0.99],
  ] as const)
    for (const [section, value] of (found?.[part] ?? []).entries())
      expect(value, part).toBeCloseTo(120 * section + 1 + 119 * p, 9);
  expect(found?.mean[9]).toBeCloseTo(1140.5, 9);
});

describe("the run compared with", () => {
  const { inputs } = before;
  const other = (role: string) => [...inputs.filter((input) => input.role !== role), { role, name: "x", sha256: "1" }];

  test("shares its draws if seed, requests and routing are the same, else what differs is named", () => {
    const run = (after: Forecast) => comparedWith(before, after, within(5)).baselineRun?.otherDraws;
    expect(run(before)).toEqual([]);
    expect(run({ ...before, inputs: other("scenario") })).toEqual([]);
    expect(run({ ...before, seed: before.seed + 1 })).toEqual(["seed"]);
    expect(run({ ...before, inputs: other("requests") })).toEqual(["requests"]);
    expect(run({ ...before, seed: 9, inputs: other("routing") })).toEqual(["seed", "routing"]);
  });
});
