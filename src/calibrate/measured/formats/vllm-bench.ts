import type { JsonView } from "../json-view.ts";
import type { MeasuredBenchmark, StatedDeployment } from "../measured-benchmark.ts";
import { type MeasuredRequest, type MeasuredRun, type MeasurementSource, measuredRun } from "../measured-run.ts";
import { type BenchmarkFormat, perRequestMean, statedMetrics, statisticsFrom } from "./benchmark-format.ts";

/**
 * `vllm bench serve --save-result`: latencies in ms under flat keys such as `p99_ttft_ms`. With `--save-detailed` also
 * lists over requests in seconds, whose failed requests have no output. SGLang's bench_serving writes the same keys but
 * for E2E, and the arguments of its server.
 */
export const vllmBench: BenchmarkFormat = {
  description: "JSON of vllm bench serve or SGLang bench_serving",

  detects: (document) => ["mean_ttft_ms", "mean_e2el_ms"].some((key) => document.peek(key) !== undefined),

  read(document, source) {
    const requests = document.get("completed");
    const forecast = document.get("moecast");
    if (forecast.stated) forecast.note("says that this is a forecast of moecast, not a measurement");
    const metric = (...keys: readonly string[]) =>
      statisticsFrom((name) => {
        const prefix = name === "p50" ? ["p50", "median"] : [name];
        return document.either(...prefix.flatMap((word) => keys.map((key) => `${word}_${key}_ms`)));
      }, 1);
    return [
      {
        deployment: deploymentOf(document),
        ...loadOf(document, requests),
        requests,
        failed: document.get("failed").whole(0) ?? withoutOutput(document),
        seconds: document.get("duration").number(),
        metrics: statedMetrics({
          ttft: metric("ttft"),
          tpot: metric("tpot"),
          itl: metric("itl"),
          e2e: metric("e2el", "e2e_latency"),
        }),
        outputTokensPerSecond: document.get("output_throughput").number(),
        requestThroughput: document.get("request_throughput").number(),
        meanPromptTokens: perRequestMean(document.get("total_input_tokens"), requests),
        meanOutputTokens: perRequestMean(document.get("total_output_tokens"), requests),
        perRequest: detailedRun(document, source),
      },
    ];
  },
};

/**
 * The load that was asked for. Times of a trace, and a rate that rises, are neither clients nor a rate: there a cap on
 * requests under way is no number of clients either.
 */
function loadOf(
  document: JsonView,
  requests: JsonView,
): Pick<MeasuredBenchmark, "concurrency" | "requestRate" | "meanUnderWay"> {
  const asked = document.get("request_rate");
  const meanUnderWay = document.get("concurrency").number();
  const rises = document.get("ramp_up_strategy");
  if (rises.stated) rises.note("says that the rate rose over the run: no load is stated");
  if (asked.value === "trace") asked.note("says that requests came at the times of a trace: no load is stated");
  if (rises.stated || asked.value === "trace") return { concurrency: null, requestRate: null, meanUnderWay };
  const rate = asked.rate();
  const unlimited = rate === Number.POSITIVE_INFINITY;
  // Without a cap all requests are sent at once: each has a client of its own.
  const concurrency = document.get("max_concurrency").whole(1) ?? (unlimited ? requests.whole(1) : null);
  return { concurrency, requestRate: unlimited ? null : rate, meanUnderWay };
}

/** The served model, and of SGLang's what its server was started with. */
function deploymentOf(document: JsonView): Partial<StatedDeployment> {
  const stated = document.either("model_id", "model").text();
  const accepted = document.either("spec_decode_acceptance_length", "accept_length").number();
  const drafted = accepted === null || accepted <= 1 ? null : `${accepted} tokens accepted a step`;
  const server = document.get("server_info");
  if (!server.stated) return { model: stated, drafting: drafted };
  const sizes = ["tp_size", "pp_size", ...(server.peek("enable_dp_attention") === true ? [] : ["dp_size"])];
  return {
    model: stated ?? server.get("model_path").text(),
    precision: server.get("quantization").text(),
    devices: server.get("tp_size").stated
      ? sizes.reduce((devices, key) => devices * (server.get(key).whole(1) ?? 1), 1)
      : null,
    engine: "sglang",
    drafting: server.get("speculative_algorithm").text() ?? drafted ?? "none",
  };
}

/** Requests of the detail lists without output; null without lists. */
function withoutOutput(document: JsonView): number | null {
  const outputs = document.peek("output_lens");
  return Array.isArray(outputs) ? outputs.filter((tokens) => tokens === 0).length : null;
}

function detailedRun(document: JsonView, source: MeasurementSource): MeasuredRun | null {
  // Gaps where they are stated; moecast, which keeps no single ones, states E2E alone.
  const ends = document.get("itls").stated ? "itls" : "latencies";
  const keys = ["input_lens", "output_lens", "ttfts", ends, "start_times"] as const;
  const lists = keys.map((key) => document.get(key).items());
  const [prompts, outputs, ttfts, lasts, starts] = lists;
  // Versions before 0.11 do not write start times, without which nothing can be replayed.
  if (!prompts || !outputs || !ttfts || !lasts || !starts) return null;
  for (const [index, list] of lists.entries())
    if (list?.length !== prompts.length)
      document.get(keys[index] ?? "").problem(`${prompts.length} values, as in input_lens`, list?.length ?? 0);
  const e2eOf = ends === "itls" ? afterGaps : (last: JsonView | undefined) => last?.number() ?? 0;
  const rows = prompts.map((prompt, i) =>
    requestAt(prompt, outputs[i], ttfts[i], (ttftSeconds) => e2eOf(lasts[i], ttftSeconds), starts[i]),
  );
  const completed = rows.filter((row) => row !== null);
  if (completed.length === 0) return null;
  const failed = rows.length - completed.length;
  return measuredRun(completed, source, failed === 0 ? [] : [`${failed} requests without output are left out`]);
}

/** The time of the last token, s, by the gaps after the first. */
const afterGaps = (gaps: JsonView | undefined, ttftSeconds: number): number =>
  (gaps?.items() ?? []).reduce((sum, gap) => sum + (gap.number() ?? 0), ttftSeconds);

function requestAt(
  prompt: JsonView,
  output: JsonView | undefined,
  ttft: JsonView | undefined,
  e2eSeconds: (ttftSeconds: number) => number,
  start: JsonView | undefined,
): MeasuredRequest | null {
  const outputTokens = output?.whole(0) ?? 0;
  const ttftSeconds = ttft?.number() ?? 0;
  if (outputTokens === 0 || ttftSeconds === 0) return null;
  const promptTokens = prompt.whole(1);
  const arrivalSeconds = start?.number() ?? null;
  if (promptTokens === null || arrivalSeconds === null) return null;
  const ttftMs = ttftSeconds * 1e3;
  return { arrivalSeconds, promptTokens, outputTokens, ttftMs, e2eMs: e2eSeconds(ttftSeconds) * 1e3, queueMs: null };
}
