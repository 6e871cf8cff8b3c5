import { describe, expect, test } from "vitest";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { latencies } from "../../src/metrics/latencies.ts";
import { metricEntries } from "../../src/metrics/metrics.ts";
import { openmetricsExport } from "../../src/report/openmetrics.ts";
import { latencyMetrics } from "../../src/sim/outcome/request-latencies.ts";
import { forecast, overloaded, tooShort } from "./build.ts";
import { type OpenMetricsSample, parseOpenMetrics } from "./parse-openmetrics.ts";

const read = (...forecasts: readonly Forecast[]) => parseOpenMetrics(openmetricsExport.render(forecasts));
const base = { scenario: "small", model: "toy-moe", device: "Toy GPU" };
/** The values of a name with exactly these labels beside those that all have. */
const values = (samples: readonly OpenMetricsSample[], name: string, labels: Readonly<Record<string, string>> = {}) =>
  samples
    .filter((one) => one.name === `moecast_${name}`)
    .filter((one) => JSON.stringify(one.labels) === JSON.stringify({ ...base, ...labels }))
    .map(({ value }) => value);

const names = {
  ttft: "time_to_first_token_seconds",
  tpot: "request_time_per_output_token_seconds",
  itl: "inter_token_latency_seconds",
  e2e: "e2e_request_latency_seconds",
  queue: "request_queue_time_seconds",
};

describe("openmetrics", () => {
  const one = forecast();
  const samples = read(one);

  test("has latencies as summaries in seconds, over all requests and of each class", () => {
    for (const metric of latencyMetrics)
      for (const [stats, labels] of [
        [one.latency[metric], {}],
        [one.latencyByClass["chat"]![metric], { class: "chat" }],
        [one.latencyByClass["summary"]![metric], { class: "summary" }],
      ] as const) {
        const at = (quantile: string) => values(samples, names[metric], { ...labels, quantile });
        expect([at("0.5"), at("0.9"), at("0.95"), at("0.99"), at("1")].flat()).toEqual(
          [stats.p50, stats.p90, stats.p95, stats.p99, stats.max].map((ms) => ms! / 1e3),
        );
        // Too few samples: it must not be read without its interval, for which there is no place.
        expect(at("0.999")).toEqual([]);
        const [sum, count] = ["_sum", "_count"].map((part) => values(samples, names[metric] + part, labels)[0]!);
        expect(count).toBe(stats.n);
        expect(sum! / count!).toBeCloseTo(stats.mean! / 1e3, 12);
      }
  });

  test("has no label of a class where there is one alone", () => {
    const { latencyByClass } = one;
    const single = read(forecast({ latencyByClass: { chat: latencyByClass["chat"]! } }));
    expect(single.filter(({ labels }) => "class" in labels)).toEqual([]);
  });

  test("has every metric that the forecast has, and none that it lacks", () => {
    const gauges = samples.filter(({ labels }) => Object.keys(labels).length === 3).map(({ value }) => value);
    for (const [, { of }] of metricEntries) {
      const value = of(one);
      if (value !== null) expect(gauges).toContain(value);
    }
    expect(values(samples, "expert_cache_hit_ratio")).toEqual([0.6]);
    expect(values(samples, "cost_usd_per_million_tokens")).toEqual([2.25]);
    expect(values(samples, "energy_joules_per_token")).toEqual([1.5]);
    expect(values(samples, "power_watts")).toEqual([1850]);
    expect(values(samples, "goodput_ratio")).toEqual([0.987]);
    expect(values(samples, "memory_used_bytes", { tier: "Toy GPU memory" })).toEqual([12 * 2 ** 30]);
    const bare = read(forecast({ cost: null, energy: null, cache: null, experts: null }));
    for (const part of ["cost", "energy", "power", "expert_", "imbalance"])
      expect(bare.filter(({ name }) => name.startsWith(`moecast_${part}`))).toEqual([]);
  });

  test("has the verdict of every SLO", () => {
    for (const { metric, expression, level, passed } of one.slos)
      expect(values(samples, "slo_passed", { metric, expression, level })).toEqual([passed ? 1 : 0]);
  });

  test("says what was forecast, by which version", () => {
    const info = { engine: "vLLM 0.19", seed: "7", file: "small.yaml", version: "9.9.9" };
    expect(values(samples, "forecast_info", info)).toEqual([1]);
  });

  test("gives no latency of an overloaded deployment, and says that it is", () => {
    const found = read(overloaded());
    expect(found.filter(({ name }) => Object.values(names).some((one) => name.includes(one)))).toEqual([]);
    expect(values(found, "overloaded")).toEqual([1]);
    expect(values(found, "sustained_requests_per_second")).toEqual([12]);
    expect(values(read(tooShort()), "too_short")).toEqual([1]);
  });

  test("tells forecasts of one name apart, and keeps families together", () => {
    const several = read(one, forecast(), overloaded());
    const scenarios = new Set(several.map(({ labels }) => labels["scenario"]));
    expect([...scenarios]).toEqual(["small", "small (2)", "small (3)"]);
    expect(several.filter(({ labels }) => labels["scenario"] === "small")).toEqual(samples);
  });

  test("writes an objective that is stated twice once", () => {
    const [slo] = one.slos;
    const twice = read(forecast({ slos: [slo!, slo!] }));
    expect(twice.filter(({ name }) => name === "moecast_slo_passed")).toHaveLength(1);
  });

  test("escapes what the format needs escaped, in values and in help", () => {
    const name = 'a\\n"b"\\';
    const found = read(forecast({ scenario: { name, description: "", file: name } }));
    expect(new Set(found.map(({ labels }) => labels["scenario"]))).toEqual(new Set([name]));
    const text = openmetricsExport.render([one]);
    for (const { definition } of Object.values(latencies)) expect(text).toContain(definition);
  });
});
