import type { LatencyMetric } from "../sim/outcome/request-latencies.ts";
import type { SloForm } from "./metric.ts";

/** A latency, declared once. Its unit is ms, and less is better. */
export interface Latency extends SloForm {
  /** As reports name it. */
  readonly label: string;
  /** What the label stands for. */
  readonly title: string;
  readonly definition: string;
  /** Whether it is the time between tokens: nobody queues in it. */
  readonly betweenTokens: boolean;
}

const sampled = {
  dimension: "duration",
  aggregations: ["percentile", "mean", "min", "max"],
} as const satisfies Partial<SloForm>;

/** Every latency, in the order of reports. `src/sim/outcome/request-latencies.ts` takes them from requests. */
export const latencies: Readonly<Record<LatencyMetric, Latency>> = {
  ttft: {
    label: "TTFT",
    title: "time to first token",
    definition: "time from a request's arrival to its first output token, queueing included",
    betweenTokens: false,
    ...sampled,
    byClass: true,
  },
  tpot: {
    label: "TPOT",
    title: "time per output token",
    definition: "(E2E - TTFT) / (output tokens - 1), per request; a request with one output token has none",
    betweenTokens: true,
    ...sampled,
    byClass: true,
  },
  itl: {
    label: "ITL",
    title: "inter-token latency",
    definition:
      "gap between two consecutive output tokens, over all tokens of all requests; tokens of one step share its gap evenly",
    betweenTokens: true,
    ...sampled,
    byClass: false,
  },
  e2e: {
    label: "E2E",
    title: "end-to-end latency",
    definition: "time from a request's arrival to its last output token",
    betweenTokens: false,
    ...sampled,
    byClass: true,
  },
  queue: {
    label: "queue",
    title: "queueing",
    definition: "time from a request's arrival to the first step that computes one of its tokens",
    betweenTokens: false,
    ...sampled,
    byClass: true,
  },
};
