import { escapeUnsafe, oneLine } from "../core/printable.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { LatencyMetric } from "../sim/outcome/request-latencies.ts";
import type { Exporter } from "./exporter.ts";
import { benchRequests, deviations, mostUnderWay } from "./vllm-bench-requests.ts";

type Keys = Readonly<Record<string, unknown>>;

/** Latencies as the keys of vLLM name them. */
const suffixes = { ttft: "ttft_ms", tpot: "tpot_ms", itl: "itl_ms", e2e: "e2el_ms" } as const satisfies Partial<
  Record<LatencyMetric, string>
>;

/** Only what is there: a null of vLLM's is a figure that was not asked for, and a 0 one that is nothing. */
const known = (keys: Keys): Keys =>
  Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null && value !== undefined));

/** Statistics of the latencies, ms: percentiles of the samples, however few, as vLLM's are. */
function statistics({ latency }: Forecast, details: RunDetails | undefined): Keys {
  const spread = details === undefined ? {} : deviations(details.requests);
  return Object.fromEntries(
    Object.entries(suffixes).flatMap(([metric, suffix]) => {
      const { mean, p50, p90, p95, p99, p999 } = latency[metric as keyof typeof suffixes];
      const std = spread[metric] ?? null;
      const values = { mean, median: p50, std, p90, p95, p99, "p99.9": p999 };
      return Object.entries(values).map(([name, value]) => [`${name}_${suffix}`, value]);
    }),
  );
}

const speculation = ({ speculation: counts }: Forecast): Keys =>
  counts === null
    ? {}
    : {
        spec_decode_acceptance_rate: counts.drafted > 0 ? (counts.accepted / counts.drafted) * 100 : null,
        spec_decode_acceptance_length: counts.acceptanceLength,
        spec_decode_num_drafts: counts.verifications,
        spec_decode_draft_tokens: counts.drafted,
        spec_decode_accepted_tokens: counts.accepted,
      };

const energy = ({ energy: power, throughput: { durationS } }: Forecast): Keys =>
  power === null
    ? {}
    : {
        gpu_energy_j: power.averageW * durationS,
        gpu_avg_power_w: power.averageW,
        gpu_energy_per_output_token_j: power.joulesPerOutputToken,
      };

/** A forecast under the keys of `vllm bench serve`; a reader that wants to know finds under `moecast` that it is none. */
function resultOf(forecast: Forecast, details: RunDetails | undefined): Keys {
  const { throughput, requests, load, scenario } = forecast;
  const outputTokens = throughput.outputTokensPerSecond * throughput.durationS;
  const tokens = throughput.totalTokensPerSecond * throughput.durationS;
  // Latencies of an overloaded deployment grow with the run: neither statistics nor samples of them describe it.
  const overloaded = load.verdict === "overloaded";
  return known({
    label: oneLine(scenario.name),
    model_id: oneLine(forecast.deployment.model),
    num_prompts: requests.total,
    // A closed loop has no rate, and how many clients it has is not part of a forecast.
    request_rate: load.loop === "open" ? load.offeredRequestsPerSecond : null,
    duration: throughput.durationS,
    completed: requests.completed,
    failed: requests.rejected,
    total_input_tokens: Math.round(tokens - outputTokens),
    total_output_tokens: Math.round(outputTokens),
    request_throughput: throughput.requestsPerSecond,
    request_goodput: throughput.goodput === null ? null : throughput.goodput * throughput.requestsPerSecond,
    output_throughput: throughput.outputTokensPerSecond,
    total_token_throughput: throughput.totalTokensPerSecond,
    ...(overloaded || details === undefined ? {} : benchRequests(details.requests)),
    max_concurrent_requests: details === undefined ? null : mostUnderWay(details.requests),
    ...speculation(forecast),
    ...(overloaded ? {} : statistics(forecast, details)),
    ...energy(forecast),
    moecast: {
      forecast: true,
      version: forecast.moecastVersion,
      seed: forecast.seed,
      verdict: load.verdict,
      interrupted: forecast.interrupted,
      // Requests at the start that the statistics leave out; the lists have them.
      warmup: requests.warmup,
    },
  });
}

/**
 * The result file of `vllm bench serve --save-result --save-detailed`; of several scenarios a line each, as `--append-result`
 * leaves them. What a forecast does not know is left out: gaps between single tokens, peaks of a second, texts, the date.
 */
export const vllmBenchExport: Exporter = {
  appends: false,
  reportsFailures: false,
  needsDetails: true,
  render: (forecasts, { details = [] } = {}) =>
    forecasts.map((forecast, i) => `${escapeUnsafe(JSON.stringify(resultOf(forecast, details[i])))}\n`).join(""),
};
