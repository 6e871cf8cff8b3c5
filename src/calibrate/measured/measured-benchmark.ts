import type { LatencyStatistics } from "./latency-statistics.ts";
import type { MeasuredRun } from "./measured-run.ts";

/**
 * Latencies that benchmarks report. TTFT: request sent to first token; TPOT: (E2E - TTFT) / (output tokens - 1), one
 * value a request; ITL: the single gaps between tokens; E2E: request sent to last token.
 */
export type BenchmarkMetric = "ttft" | "tpot" | "itl" | "e2e";

/** What a measurement says of the deployment it was made on, as written; null where it does not. */
export interface StatedDeployment {
  readonly model: string | null;
  /** Parameters of the model. */
  readonly parameters: number | null;
  readonly precision: string | null;
  readonly device: string | null;
  /** Devices of the whole deployment. */
  readonly devices: number | null;
  readonly engine: string | null;
  /** How tokens were drafted: `none`, or words on it. */
  readonly drafting: string | null;
  /** Whether prompts and answers were computed on devices of their own. */
  readonly disaggregated: boolean | null;
}

/** Result of a user's own benchmark of a deployment. */
export interface MeasuredBenchmark {
  /** Key of the format it was written in. */
  readonly format: string;
  readonly deployment: StatedDeployment;
  /** Clients of a closed loop, or the cap on requests under way; null where there is none. */
  readonly concurrency: number | null;
  /** Mean requests under way; null where it is not stated. */
  readonly meanUnderWay: number | null;
  /** Requests per second asked for; null where the load was not a rate. */
  readonly requestRate: number | null;
  /** Completed requests; null where the format does not count them. */
  readonly requests: number | null;
  /** Requests that failed; null where it is not stated. */
  readonly failed: number | null;
  /** Length of the run, s; null where it is not stated. */
  readonly seconds: number | null;
  readonly metrics: Partial<Record<BenchmarkMetric, LatencyStatistics>>;
  readonly outputTokensPerSecond: number | null;
  /** Completed requests per second. */
  readonly requestThroughput: number | null;
  readonly meanPromptTokens: number | null;
  readonly meanOutputTokens: number | null;
  /** Where the file holds the requests themselves. */
  readonly perRequest: MeasuredRun | null;
  /** What was read otherwise than it stands in the file, and what could not be checked, in words. */
  readonly notes: readonly string[];
}

const undescribed: StatedDeployment = {
  model: null,
  parameters: null,
  precision: null,
  device: null,
  devices: null,
  engine: null,
  drafting: null,
  disaggregated: null,
};

/** A benchmark that states nothing: what a reader finds takes the place of its parts. */
export const unstated: Omit<MeasuredBenchmark, "format"> = {
  deployment: undescribed,
  concurrency: null,
  meanUnderWay: null,
  requestRate: null,
  requests: null,
  failed: null,
  seconds: null,
  metrics: {},
  outputTokensPerSecond: null,
  requestThroughput: null,
  meanPromptTokens: null,
  meanOutputTokens: null,
  perRequest: null,
  notes: [],
};
