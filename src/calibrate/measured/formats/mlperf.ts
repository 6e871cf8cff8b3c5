import type { Json } from "../../../core/json.ts";
import { type BenchmarkFormat, statedMetrics, statisticsFrom } from "./benchmark-format.ts";

/**
 * `mlperf_log_summary.txt` of MLPerf's LoadGen: `name : value` lines, latencies in ns. Server runs state the rate they asked
 * for; offline runs send all at once. Token lengths are those of its data set, and not stated.
 */
export const mlperf: BenchmarkFormat = {
  description: "mlperf_log_summary.txt of MLPerf LoadGen",

  detects: (document) => document.peek("SUT name") !== undefined && document.peek("Scenario") !== undefined,

  read(document) {
    const metric = (name: string, inner: string) =>
      statisticsFrom((statistic) => document.get(lineOf(statistic, name, inner)), 1e-6);
    const tokens = document.either("Completed tokens per second", "Tokens per second").number();
    const requests = document.either("Completed samples per second", "Samples per second").number();
    const server = document.peek("Scenario") === "Server";
    if (document.peek("Result is") === "INVALID")
      document.note("says that its result is INVALID: its own rules were not met");
    return [
      {
        requestRate: server ? document.get("target_qps").number() : null,
        requests: null,
        metrics: statedMetrics({
          ttft: metric("First Token latency", "first token latency"),
          tpot: metric("Time to Output Token", "time to output token"),
          itl: null,
          e2e: metric("latency", "latency"),
        }),
        outputTokensPerSecond: tokens,
        requestThroughput: requests,
        meanOutputTokens: tokens === null || requests === null || requests === 0 ? null : tokens / requests,
      },
    ];
  },
};

const ranks = { p50: "50.00", p90: "90.00", p95: "95.00", p99: "99.00" } as const;

const lineOf = (statistic: "mean" | keyof typeof ranks, name: string, inner: string): string =>
  statistic === "mean" ? `Mean ${name} (ns)` : `${ranks[statistic]} percentile ${inner} (ns)`;

/** Its lines as an object; null for any other text. */
export function mlperfSummary(text: string): Json | null {
  if (!/^SUT name\s*:/m.test(text)) return null;
  const entries = text.split(/\r?\n/).flatMap((line): [string, Json][] => {
    const found = /^\s*([^:]+?)\s*:\s*(.*?)\s*$/.exec(line);
    if (found === null) return [];
    const [, name = "", value = ""] = found;
    return [[name, /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : value]];
  });
  // The summary stands before the parameters that repeat some of its names.
  return Object.fromEntries(entries.reverse()) as Json;
}
