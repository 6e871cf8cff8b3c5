/** How samples of a metric may be condensed into the one number that is compared. */
export type SloAggregation =
  | { readonly kind: "percentile"; readonly percent: number }
  | { readonly kind: "mean" | "min" | "max" | "rate" | "value" };

/** A metric an SLO can name. */
export interface SloMetric {
  readonly meaning: string;
  /** Unit of limits: durations and rates carry theirs, ratios may be percentages, the rest are bare numbers. */
  readonly dimension: "duration" | "rate" | "ratio" | "number";
  readonly aggregations: readonly SloAggregation["kind"][];
  /** Whether `{class:NAME}` can narrow it. */
  readonly byClass: boolean;
}

const sampled = ["percentile", "mean", "min", "max"] as const;

/** Every metric of an SLO; the definitions are those the results print. */
export const sloMetrics = {
  ttft: {
    meaning: "time to first token: arrival of a request to its first output token, queueing included",
    dimension: "duration",
    aggregations: sampled,
    byClass: true,
  },
  tpot: {
    meaning: "time per output token: (E2E - TTFT) / (output tokens - 1), for requests with two or more output tokens",
    dimension: "duration",
    aggregations: sampled,
    byClass: true,
  },
  itl: {
    meaning: "inter-token latency: every gap between two consecutive output tokens of a request",
    dimension: "duration",
    aggregations: sampled,
    byClass: false,
  },
  e2e: {
    meaning: "end-to-end latency: arrival of a request to its last output token",
    dimension: "duration",
    aggregations: sampled,
    byClass: true,
  },
  queue: {
    meaning: "queueing: arrival of a request to its first admission into a batch",
    dimension: "duration",
    aggregations: sampled,
    byClass: true,
  },
  goodput: {
    meaning: "share of completed requests that meet every limit of slo.perRequest",
    dimension: "ratio",
    aggregations: ["rate"],
    byClass: true,
  },
  throughput: {
    meaning: "output tokens per second of the deployment",
    dimension: "number",
    aggregations: ["value"],
    byClass: false,
  },
  throughputPerDevice: {
    meaning: "output tokens per second and device",
    dimension: "number",
    aggregations: ["value"],
    byClass: false,
  },
  requestRate: {
    meaning: "completed requests per second",
    dimension: "rate",
    aggregations: ["value"],
    byClass: false,
  },
  expertCacheHit: {
    meaning: "expert-cache hits / accesses, an access being one distinct expert of one layer call",
    dimension: "ratio",
    aggregations: ["rate"],
    byClass: false,
  },
  imbalance: {
    meaning: "tokens of the heaviest rank / mean rank, mean over steps and MoE layers; 1 is perfect",
    dimension: "number",
    aggregations: ["value", "max"],
    byClass: false,
  },
  costUsdPerMtok: {
    meaning: "US dollars per million output tokens",
    dimension: "number",
    aggregations: ["value"],
    byClass: false,
  },
  kvPeak: {
    meaning: "largest share of KV blocks in use",
    dimension: "ratio",
    aggregations: ["rate"],
    byClass: false,
  },
  preemptions: {
    meaning: "preemptions of running requests for lack of KV blocks",
    dimension: "number",
    aggregations: ["value"],
    byClass: false,
  },
  rejected: {
    meaning: "requests that the deployment cannot serve at all: their number (value) or their share (rate)",
    dimension: "number",
    aggregations: ["value", "rate"],
    byClass: true,
  },
} as const satisfies Record<string, SloMetric>;

export type SloMetricName = keyof typeof sloMetrics;

export const sloMetricNames = Object.keys(sloMetrics) as SloMetricName[];

/** A metric by name, seen through the common interface. */
export const sloMetric = (name: SloMetricName): SloMetric => sloMetrics[name];
