import { describe, expect, test } from "vitest";
import { expertExchanges } from "../../../src/engine/exchange/expert-exchange.ts";
import { accuracyOf } from "../../../src/forecast/bands/accuracy.ts";
import { bandsFor } from "../../../src/forecast/bands/bands.ts";
import { errorBandTable } from "../../../src/forecast/bands/error-band-table.ts";
import { unvalidatedFeatures } from "../../../src/forecast/bands/unvalidated-features.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { readForecast } from "../../../src/forecast/read-forecast.ts";
import type { LatencyStats } from "../../../src/metrics/latency-figures.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import { chained } from "../../../src/models/visits.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { minimal } from "../../scenario/example.ts";
import { testRouting, withoutSome } from "../../sim/build.ts";
import { exampleForecast, resolved } from "../example-forecast.ts";
import { overloadedRun } from "../fake-run.ts";

const stats = (mean: number | null): LatencyStats => ({
  n: 100,
  mean,
  meanHalfWidth: null,
  p50: mean,
  p90: null,
  p95: null,
  p99: null,
  p999: null,
  max: mean,
  intervals: {},
});
const latency = (queueMs = 0): Forecast["latency"] => ({
  ttft: stats(100),
  tpot: stats(10),
  itl: stats(10),
  e2e: stats(1000),
  queue: stats(queueMs),
});
const outcome = {
  load: { verdict: "stable", loop: "closed" },
  latency: latency(),
  outputTokensPerSecond: 800,
  usdPerMillionOutputTokens: 2,
} as const;

/** The example's deployment as it was measured first in the first validated setup. */
const [validated] = errorBandTable.setups;
const measured = validated?.deployments[0] ?? { version: "", weights: "bf16", tp: 1, dp: 1, ep: 1, points: 0 };
const { tp, dp, ep } = measured;
const inSetup = {
  ...resolved,
  config: {
    ...resolved.config,
    model: { ...modelNamed(validated?.model ?? ""), name: "a model" },
    formats: { ...resolved.config.formats, experts: measured.weights },
    mapping: { tp, cp: 1, dp, pp: 1, ep, etp: (tp * dp) / ep, edp: 1 },
    node: {
      ...resolved.config.node,
      device: { ...resolved.config.node.device, id: validated?.device ?? "" },
    },
    engine: {
      ...resolved.config.engine,
      id: validated?.engine ?? "",
      version: measured.version,
      requestOverheadNs: 0,
      promptTokenOverheadNs: 0,
      promptTokenDelayNs: 0,
    },
  },
};

describe("error bands of a forecast", () => {
  test("are the factors of its deployment around mean TPOT, median TTFT and the rate of a closed loop", () => {
    const { bands } = accuracyOf(inSetup, outcome);
    const { model = "", device = "", engine = "" } = validated ?? {};
    const of = (observed: boolean) => {
      const { tpot, ttft } = bandsFor({ model, device, engine, observed, features: [] });
      return { tpot, ttft };
    };
    const { tpot, ttft } = of(false);
    expect(bands).toEqual({
      nominal: 0.8,
      basis: "validated",
      unvalidated: null,
      factors: of(false),
      withPoint: of(true),
      ends: null,
      nearest: { model, device, engine, distance: 0, differs: [] },
      metrics: {
        tpot: { lowMs: 10 * tpot[0], highMs: 10 * tpot[1] },
        ttft: { lowMs: 100 * ttft[0], highMs: 100 * ttft[1] },
        outputTokensPerSecond: { low: 800 / tpot[1], high: 800 / tpot[0] },
        usdPerMillionOutputTokens: { low: 2 * tpot[0], high: 2 * tpot[1] },
        goodput: null,
      },
    });
  });

  test("leave out a TTFT that is mostly queueing, and a rate that arrivals set", () => {
    const metrics = (parts: Partial<Parameters<typeof accuracyOf>[1]>) =>
      accuracyOf(inSetup, { ...outcome, ...parts }).bands.metrics;
    expect(metrics({ latency: latency(60) })?.ttft).toBeNull();
    expect(metrics({ latency: latency(40) })?.ttft).not.toBeNull();
    // The engine's handling of a request is no queue.
    const engine = { ...inSetup.config.engine, requestOverheadNs: 30e6 };
    const slow = { ...inSetup, config: { ...inSetup.config, engine } };
    expect(accuracyOf(slow, { ...outcome, latency: latency(60) }).bands?.metrics.ttft).not.toBeNull();
    expect(metrics({ load: { verdict: "stable", loop: "open" } })?.outputTokensPerSecond).toBeNull();
  });

  test("have no latencies where there are none, and still say what they rest on", () => {
    const none = { tpot: null, ttft: null };
    const overloaded = accuracyOf(inSetup, { ...outcome, load: { verdict: "overloaded", loop: "open" } }).bands;
    expect(overloaded).toMatchObject({ basis: "validated", metrics: none });
    const empty = { ...latency(), tpot: stats(null), ttft: stats(null) };
    expect(accuracyOf(inSetup, { ...outcome, latency: empty }).bands).toMatchObject({ metrics: none });
  });
});

describe("the ledger on accuracy", () => {
  test("names the validated setup with its points and median errors", () => {
    const { ledger } = accuracyOf(inSetup, outcome);
    expect(ledger).toMatchObject({ topic: "accuracy", fidelity: "fitted" });
    const { model, device, engine, points, tpotMedianPercent } = validated ?? {};
    expect(ledger.detail).toContain(`validated setup ${model} on ${device} with ${engine}: ${points} measured points`);
    expect(ledger.detail).toContain(`${measured.points} in this layout and format`);
    expect(ledger.detail).toContain(`TPOT ${tpotMedianPercent}%`);
  });

  test("names no error where the deployment differs, says what differs, and is not called fitted", () => {
    const { config } = inSetup;
    const formats = { ...config.formats, experts: "bf16" } as const;
    const { ledger, bands } = accuracyOf({ ...inSetup, config: { ...config, formats } }, outcome);
    expect(ledger.fidelity).toBe("assumed");
    expect(ledger.detail).toMatch(/^near the validated setup .* differs in .*weight format \(bf16, there /);
    expect(ledger.detail).not.toContain("%");
    expect(bands.nearest?.distance).toBeGreaterThan(0);
    expect(bands.nearest?.differs).toContainEqual(expect.stringContaining("weight format"));
  });

  test("of Qwen3-235B on eight data-parallel H100s is not that of gpt-oss-120b on H200", async () => {
    const scenario = parseScenario(
      minimal.replace("qwen3-30b-a3b", "qwen3-235b-a22b").replace("routing:", "parallel: { dp: 8, ep: 8 }\nrouting:"),
      "test.yaml",
      { settings: ["model.dtypes.experts=fp8_block"] },
    );
    const { config } = await resolveScenario(scenario, { readText: () => Promise.reject(new Error("no files")) });
    const { ledger, bands } = accuracyOf({ config }, outcome);
    expect(ledger.fidelity).toBe("assumed");
    expect(ledger.detail).toMatch(/^unvalidated: no served measurement with vllm .*; the closest setup, /);
    expect(ledger.detail).not.toContain("%");
    expect(bands).toMatchObject({ basis: "modelAndSystem", nearest: null });
  });

  test("says what is far from anything validated, and why", () => {
    const engine = { ...inSetup.config.engine, id: "llama.cpp" };
    const { ledger, bands } = accuracyOf({ ...inSetup, config: { ...inSetup.config, engine } }, outcome);
    expect(ledger.fidelity).toBe("assumed");
    expect(ledger.detail).toMatch(
      /^unvalidated: no served measurement with llama.cpp; the closest .* differs in .*engine/,
    );
    expect(bands).toMatchObject({ basis: "engine", nearest: null });
    const mapping = { ...inSetup.config.mapping, pp: 2 };
    expect(accuracyOf({ ...inSetup, config: { ...inSetup.config, mapping } }, outcome).ledger.detail).toContain(
      "no served measurement with pipeline parallelism",
    );
  });

  test("says that points of the deployment were given", () => {
    const { ledger, bands } = accuracyOf({ ...inSetup, observed: true }, outcome);
    expect(bands.basis).toBe("observed");
    expect(ledger.detail).toMatch(/^adjusted to measured points of the deployment; validated setup /);
  });
});

test("features no served measurement had are named one by one", () => {
  const { config } = resolved;
  const table = { devicesMax: 2, promptTokensMax: 8192, setups: errorBandTable.setups };
  expect(unvalidatedFeatures(config, table)).toEqual([]);
  const mapping = { tp: 2, cp: 2, dp: 1, pp: 2, ep: 4, etp: 1, edp: 1 };
  expect(unvalidatedFeatures({ ...config, mapping }, table)).toEqual([
    "pipeline parallelism",
    "context parallelism",
    "8 devices a replica",
  ]);
  const exchanging = { ...config, mapping: { ...config.mapping, tp: 1, dp: 2 } };
  const engine = { ...config.engine, overlapsBatches: true };
  expect(unvalidatedFeatures({ ...exchanging, engine }, table)).toEqual(["half batches"]);
  const library = { ...config.engine, expertExchange: "deepepNormal" } as const;
  expect(unvalidatedFeatures({ ...exchanging, engine: library }, table)).toEqual(["DeepEP"]);
  expect(unvalidatedFeatures({ ...config, engine: library }, table)).toEqual([]);
  // Each is an item of a list.
  for (const expertExchange of expertExchanges)
    for (const feature of unvalidatedFeatures({ ...exchanging, engine: { ...engine, expertExchange } }, table))
      expect(feature).not.toMatch(/,| or /);
  const speculation = { draftTokens: 1, acceptance: Float64Array.of(0.5), draft: { kind: "free" } } as const;
  expect(unvalidatedFeatures({ ...config, speculation }, table)).toEqual(["speculative decoding"]);
  const replayed = (share: number) =>
    ({ kind: "replay", table: withoutSome(testRouting(), share), layerMap: [0], start: "zero" }) as const;
  expect(unvalidatedFeatures({ ...config, routing: replayed(0) }, table)).toEqual([]);
  expect(unvalidatedFeatures({ ...config, routing: replayed(0.1) }, table)).toEqual(["choices without an expert"]);
  const layers = config.model.layers.flatMap((layer) => chained(layer, 2, "own"));
  expect(unvalidatedFeatures({ ...config, model: { ...config.model, layers } }, table)).toEqual(["chains of experts"]);
  const formats = { ...config.formats, experts: "int8" } as const;
  expect(unvalidatedFeatures({ ...config, formats }, table)).toEqual(["weights in int8"]);
  // Half-precision weights run through the kernels of bf16.
  expect(unvalidatedFeatures({ ...config, formats: { ...formats, experts: "fp16" } }, table)).toEqual([]);
  const requests = { ...config.workload.requests, promptTokens: Uint32Array.of(16_000, 18_000) };
  const longer = { ...config, workload: { ...config.workload, requests } };
  expect(unvalidatedFeatures(longer, table)).toEqual(["prompts of 17,000 tokens"]);
  expect(unvalidatedFeatures(longer, { ...table, promptTokensMax: 8500 })).toEqual([]);
});

describe("a result document", () => {
  test("carries the bands and the ledger entry of its run", () => {
    const forecast = exampleForecast();
    expect(forecast.bands).not.toBeNull();
    expect(forecast.ledger.filter(({ topic }) => topic === "accuracy")).toHaveLength(1);
    expect(exampleForecast("", overloadedRun(1200)).bands?.metrics.tpot).toBeNull();
  });

  test("of an earlier release reads as one without bands; bands of another kind are refused", () => {
    const { bands, ...earlier } = exampleForecast();
    expect(readForecast(JSON.stringify(earlier), "result.json").bands).toBeNull();
    expect(readForecast(JSON.stringify({ ...earlier, bands }), "result.json").bands).toEqual(bands);
    expect(() => readForecast(JSON.stringify({ ...earlier, bands: 3 }), "result.json")).toThrow(/bands/);
    const { factors, ...less } = bands as NonNullable<typeof bands>;
    expect(factors).toBeDefined();
    expect(readForecast(JSON.stringify({ ...earlier, bands: less }), "result.json").bands).toBeNull();
  });
});

describe("an observed point that cannot be reached", () => {
  const unreached = "the observed point cannot be reached: TPOT forecast 10 ms, observed 1 ms (mine.csv:2)";
  const contradicted = { ...inSetup, observed: true, unreached };

  test("makes a forecast unvalidated, whose band is that without a point", () => {
    const { bands, ledger } = accuracyOf(contradicted, outcome);
    const plain = accuracyOf(inSetup, outcome).bands;
    expect(bands.unvalidated).toBe(unreached);
    expect(bands.factors).toEqual(plain.factors);
    expect(bands.withPoint).toEqual(plain.factors);
    expect(ledger).toMatchObject({ fidelity: "assumed" });
    expect(ledger.detail).toContain(unreached);
  });
});
