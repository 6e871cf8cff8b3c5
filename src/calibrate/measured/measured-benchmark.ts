import type { LatencyStatistics } from "./latency-statistics.ts";
import type { MeasuredRun } from "./measured-run.ts";

/**
 * Latencies that benchmarks report. TTFT: request sent to first token; TPOT: (E2E - TTFT) / (output tokens - 1), one
 * value a request; ITL: the single gaps between tokens; E2E: request sent to last token.
 */
export type BenchmarkMetric = "ttft" | "tpot" | "itl" | "e2e";

/** Result of a user's own benchmark of a deployment. */
export interface MeasuredBenchmark {
  /** Key of the format it was written in. */
  readonly format: string;
  /** As written. */
  readonly model: string | null;
  /** Clients of a closed loop, or the cap on requests under way; null where there is none. */
  readonly concurrency: number | null;
  /** Requests per second asked for; null where the load was not a rate. */
  readonly requestRate: number | null;
  /** Completed requests. */
  readonly requests: number;
  readonly metrics: Partial<Record<BenchmarkMetric, LatencyStatistics>>;
  readonly outputTokensPerSecond: number | null;
  /** Completed requests per second. */
  readonly requestThroughput: number | null;
  readonly meanPromptTokens: number | null;
  readonly meanOutputTokens: number | null;
  /** Where the file holds the requests themselves. */
  readonly perRequest: MeasuredRun | null;
}
