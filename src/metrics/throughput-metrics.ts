import { goodputOf } from "./goodput.ts";
import type { Metric } from "./metric.ts";

/** Tokens and requests per second. */
export const rates = {
  throughput: {
    label: "output tokens/s",
    row: "output_tokens_per_second",
    unit: "tok/s",
    better: "higher",
    definition: "output tokens per second of the deployment",
    of: ({ throughput }) => throughput.outputTokensPerSecond,
    slo: { dimension: "number", aggregations: ["value"], byClass: false },
    regression: { sections: ({ sections }) => sections?.outputTokensPerSecond ?? null },
  },
  throughputPerDevice: {
    label: "output tokens/s per device",
    row: "output_tokens_per_second_per_device",
    unit: "tok/s",
    better: "higher",
    definition: "output tokens per second and device; where replicas come and go, per device that is on, on average",
    of: ({ throughput }) => throughput.outputTokensPerSecondPerDevice,
    slo: { dimension: "number", aggregations: ["value"], byClass: false },
    regression: {
      sections: ({ sections, deployment }) =>
        sections?.outputTokensPerSecond?.map((rate) => rate / (deployment.meanDevicesOn ?? deployment.devices)) ?? null,
    },
  },
  requestRate: {
    label: "requests/s",
    row: "requests_per_second",
    unit: "req/s",
    better: "higher",
    definition: "completed requests per second",
    of: ({ throughput }) => throughput.requestsPerSecond,
    slo: { dimension: "rate", aggregations: ["value"], byClass: false },
    regression: { sections: ({ sections }) => sections?.requestsPerSecond ?? null },
  },
} as const satisfies Record<string, Metric>;

/** Requests that are served well enough. */
export const goodput = {
  goodput: {
    label: "goodput",
    row: "goodput",
    unit: "share",
    better: "higher",
    definition: "share of counted requests that meet every per-request limit",
    term: "goodput",
    of: ({ throughput }) => throughput.goodput,
    slo: {
      dimension: "ratio",
      aggregations: ["rate"],
      byClass: true,
      judged: ({ run, limits }, _kind, requestClass) => {
        const counted = goodputOf(run, limits, requestClass);
        if (counted === null) return { value: null, samples: 0, reason: "no limits in slo.perRequest" };
        return { value: counted.good / counted.samples, samples: counted.samples };
      },
    },
    regression: { sections: ({ sections }) => sections?.goodput ?? null },
  },
} as const satisfies Record<string, Metric>;

/** Speculative decoding. */
export const speculation = {
  acceptanceLength: {
    label: "acceptance length",
    row: "acceptance_length",
    unit: "tokens",
    better: "higher",
    definition:
      "tokens per verification of draft tokens, with the model's own token; tokens cut off by the end of an output count",
    term: "acceptance length",
    of: (figures) => figures.speculation?.acceptanceLength ?? null,
  },
} as const satisfies Record<string, Metric>;
