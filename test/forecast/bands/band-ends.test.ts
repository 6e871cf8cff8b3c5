import { describe, expect, test } from "vitest";
import { withArrivalsOver, withBandEnds } from "../../../src/forecast/bands/band-ends.ts";
import { buildForecast } from "../../../src/forecast/build-forecast.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { minimal } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no files")) };
const watched = { giveWay: () => Promise.resolve() };

/** The example under a traffic of its own, run and banded. */
async function banded(settings: readonly string[], text = minimal) {
  const scenario = parseScenario(`${text}slo: { perRequest: { e2e: 1000s } }\n`, "test.yaml", { settings });
  const resolved = await resolveScenario(scenario, noFiles);
  const plain = buildForecast(scenario, resolved, simulate(resolved.config));
  const bands = { ...plain.bands!, factors: { ...plain.bands!.factors, tpot: [0.8, 1.5] as const } };
  const forecast = await withBandEnds({ ...plain, bands }, resolved, scenario.slo?.perRequest ?? null, watched);
  return { resolved, forecast, bands: forecast.bands!, ends: forecast.bands!.ends! };
}

const open = (perSecond: number) => [`traffic.arrivals.requestRate=${perSecond}/s`];

describe("runs at the ends of the band", () => {
  test("of half the durations and half the time between arrivals are the same run on another clock", async () => {
    const { resolved } = await banded(open(2));
    const run = simulate(withArrivalsOver(resolved.config, 1));
    expect(run.endNs).toBe(simulate(resolved.config).endNs);
    const { requests } = withArrivalsOver(resolved.config, 2).workload;
    for (const [i, ns] of resolved.config.workload.requests.arrivalNs.entries())
      expect(requests.arrivalNs[i]).toBe(Math.round(ns / 2));
  });

  test("leave what is stated to be added to a load as it is", async () => {
    const { resolved } = await banded(open(2));
    const modelCache = { deviceBytes: 1, loadOverheadNs: 3e9, keep: [], servedBy: new Uint16Array(0) };
    expect(withArrivalsOver({ ...resolved.config, modelCache }, 2).modelCache!.loadOverheadNs * 2).toBe(3e9);
  });

  test("give throughput and cost a range that holds the forecast, cost the other way round", async () => {
    const { forecast, bands, ends } = await banded(open(2));
    const { outputTokensPerSecond: rate, usdPerMillionOutputTokens: usd } = bands.metrics;
    expect(rate?.low).toBeLessThanOrEqual(forecast.throughput.outputTokensPerSecond);
    expect(rate?.high).toBeGreaterThanOrEqual(forecast.throughput.outputTokensPerSecond);
    expect(ends.slow.outputTokensPerSecond).toBeLessThanOrEqual(ends.fast.outputTokensPerSecond);
    if (forecast.cost !== null && usd !== null && rate !== null) {
      const bill = forecast.cost.usdPerMillionOutputTokens * forecast.throughput.outputTokensPerSecond;
      expect(usd.high).toBeCloseTo(bill / rate.low, 9);
      expect(usd.low).toBeCloseTo(bill / rate.high, 9);
    }
  });

  test("far below saturation throughput is what arrives, whatever the band", async () => {
    const { bands, ends } = await banded([...open(0.05), "traffic.requests=60"]);
    const { low = 0, high = 0 } = bands.metrics.outputTokensPerSecond ?? {};
    expect(high / low).toBeLessThan(1.02);
    expect([ends.fast.verdict, ends.slow.verdict]).not.toContain("overloaded");
    expect(bands.metrics.goodput).toEqual({ low: 1, high: 1 });
  });

  test("of a deployment kept busy by far more than it takes, throughput goes with the inverse of the durations", async () => {
    const { forecast, bands, ends } = await banded([...open(100_000), "traffic.requests=100"]);
    const { outputTokensPerSecond } = forecast.throughput;
    expect(ends.fast.outputTokensPerSecond / outputTokensPerSecond).toBeCloseTo(1 / 0.8, 2);
    expect(ends.slow.outputTokensPerSecond / outputTokensPerSecond).toBeCloseTo(1 / 1.5, 2);
    expect(bands.metrics.outputTokensPerSecond?.low).toBe(ends.slow.outputTokensPerSecond);
  });

  test("leave rate and cost of a closed loop to the band of TPOT", async () => {
    const { bands, forecast } = await banded(
      [],
      minimal.replace("kind: poisson, requestRate: 5/s", "kind: closed, maxConcurrency: 4"),
    );
    expect(forecast.load.loop).toBe("closed");
    expect(bands.ends?.slow.outputTokensPerSecond).toBeCloseTo(forecast.throughput.outputTokensPerSecond / 1.5, 6);
  });
});
