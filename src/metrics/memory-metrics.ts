import type { Metric } from "./metric.ts";

/** Use of the KV cache. */
export const kvCache = {
  kvPeak: {
    label: "KV blocks in use",
    row: "kv_peak",
    unit: "share",
    better: "lower",
    definition: "largest share of KV blocks in use",
    of: ({ kv }) => kv.peakShare,
    slo: {
      dimension: "ratio",
      aggregations: ["rate"],
      byClass: false,
      judged: ({ run, figures: { kv } }) => ({ value: kv.peakShare, samples: kv.blocks > 0 ? run.steps : 0 }),
    },
  },
  prefixHit: {
    label: "prefix hit rate",
    row: "prefix_hit",
    unit: "share",
    better: "higher",
    definition: "share of prompt tokens that the prefix cache held when their request was first admitted",
    of: ({ kv }) => kv.prefixHitRate,
  },
} as const satisfies Record<string, Metric>;
