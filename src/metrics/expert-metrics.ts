import type { Metric } from "./metric.ts";

const shareOf = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** How evenly experts load their ranks, and what these send one another. */
export const balance = {
  imbalance: {
    label: "imbalance",
    row: "imbalance",
    unit: "ratio",
    better: "lower",
    definition:
      "tokens on the most loaded rank / tokens on the mean rank, per step and MoE layer; 1 is perfect balance",
    term: "imbalance",
    of: ({ experts }) => experts?.imbalance ?? null,
    slo: {
      dimension: "number",
      aggregations: ["value", "max"],
      byClass: false,
      aggregated: ". value is the mean over steps and layers, max the worst step",
      judged: ({ run, figures: { experts } }, kind) =>
        experts === null
          ? { value: null, samples: 0, reason: "no routed experts" }
          : { value: kind === "max" ? experts.imbalanceMax : experts.imbalance, samples: run.steps },
    },
  },
  expertSkew: {
    label: "expert skew",
    row: "expert_skew",
    unit: "ratio",
    better: null,
    definition: "tokens of the most used expert / tokens of the mean expert of a layer, over the whole run",
    term: "expert skew",
    of: ({ experts }) => experts?.expertSkew ?? null,
  },
  distinctExperts: {
    label: "distinct experts",
    row: "distinct_experts_per_step",
    unit: "experts",
    better: null,
    definition: "experts that a step touches in a MoE layer, mean over steps and layers",
    of: ({ experts }) => experts?.distinctExpertsPerStep ?? null,
  },
  balancedness: {
    label: "balancedness",
    row: "balancedness",
    unit: "ratio",
    better: "higher",
    definition:
      "tokens of the mean expert rank / tokens of the heaviest, each summed over MoE layers, mean over steps, as vLLM logs it; 1 is perfect balance",
    of: ({ experts }) => experts?.balance?.balancedness ?? null,
  },
  imbalanceScore: {
    label: "imbalance score",
    row: "imbalance_score",
    unit: "ratio",
    better: "lower",
    definition:
      "(choices on the heaviest expert rank - those on the lightest) / tokens, mean over steps and MoE layers (MoGE); 0 is perfect balance",
    of: ({ experts }) => experts?.balance?.imbalanceScore ?? null,
  },
  ranksPerToken: {
    label: "ranks per token",
    row: "ranks_per_token",
    unit: "ratio",
    better: "lower",
    definition: "expert ranks that hold an expert of a token, mean over tokens and MoE layers",
    of: ({ experts }) => experts?.exchange?.ranksPerToken ?? null,
  },
  nodesPerToken: {
    label: "nodes per token",
    row: "nodes_per_token",
    unit: "ratio",
    better: "lower",
    definition: "nodes, or domains of a rack, that hold an expert of a token, mean over tokens and MoE layers",
    of: ({ experts }) => experts?.exchange?.nodesPerToken ?? null,
  },
  exchangeBetweenNodes: {
    label: "exchange between nodes",
    row: "exchange_between_nodes",
    unit: "share",
    better: "lower",
    definition:
      "bytes of tokens to their experts and of results back that go between nodes / those that go from device to device at all",
    of: ({ experts }) => {
      const bytes = experts?.exchange?.bytes;
      if (bytes === null || bytes === undefined) return null;
      const far = bytes.dispatch.far + bytes.combine.far;
      return shareOf(far, far + bytes.dispatch.near + bytes.combine.near);
    },
  },
} as const satisfies Record<string, Metric>;

/** Hits of the expert cache. */
export const expertCache = {
  expertCacheHit: {
    label: "expert hits",
    row: "expert_cache_hit",
    unit: "share",
    better: "higher",
    definition: "distinct experts that are resident when their layer call starts / distinct experts of all layer calls",
    term: "hit rate",
    of: ({ cache }) => (cache === null || cache.accesses === 0 ? null : cache.hits / cache.accesses),
    slo: {
      dimension: "ratio",
      aggregations: ["rate"],
      byClass: false,
      judged: ({ figures: { cache } }) =>
        cache === null
          ? { value: null, samples: 0, reason: "no expert cache: policy.offload is not set" }
          : { value: cache.hits / cache.accesses, samples: cache.accesses },
    },
    regression: { sections: () => null },
  },
  expertCacheHitOptimum: {
    label: "optimum (Belady)",
    row: "expert_cache_hit_optimum",
    unit: "share",
    better: "higher",
    definition:
      "hit rate of the clairvoyant optimum with the same slots, on the logged accesses; loaded at start where the policy is",
    of: ({ cache }) => cache?.reference?.belady ?? null,
  },
  expertCacheHitBestStatic: {
    label: "best fixed set",
    row: "expert_cache_hit_best_static",
    unit: "share",
    better: "higher",
    definition: "hit rate of the best set of experts that never changes, chosen with hindsight, on the logged accesses",
    of: ({ cache }) => cache?.reference?.bestStatic ?? null,
  },
} as const satisfies Record<string, Metric>;

/** What came of experts that were sent ahead. */
export const prefetching = {
  prefetchAccuracy: {
    label: "prefetch accuracy",
    row: "prefetch_accuracy",
    unit: "share",
    better: "higher",
    definition: "experts sent ahead that a layer call asked for before they left the cache / experts sent ahead",
    term: "accuracy",
    of: ({ cache }) => (cache?.prefetch === undefined ? null : shareOf(cache.prefetch.useful, cache.prefetch.followed)),
  },
  prefetchCoverage: {
    label: "prefetch coverage",
    row: "prefetch_coverage",
    unit: "share",
    better: "higher",
    definition:
      "experts sent ahead that were there when a layer call asked for them / those and the misses that were left, late ones included",
    term: "coverage",
    of: ({ cache }) => {
      if (cache?.prefetch === undefined) return null;
      const inTime = cache.prefetch.useful - cache.prefetch.late;
      return shareOf(inTime, inTime + cache.misses);
    },
  },
  prefetchWaste: {
    label: "prefetch waste",
    row: "prefetch_waste",
    unit: "share",
    better: "lower",
    definition: "bytes of experts sent ahead for nothing / bytes over the links of devices to the host",
    term: "waste",
    of: ({ cache }) => (cache?.prefetch === undefined ? null : shareOf(cache.prefetch.wastedBytes, cache.fetchedBytes)),
  },
  prefetchLateStall: {
    label: "stall for late prefetches",
    row: "prefetch_late_stall",
    unit: "share",
    better: null,
    definition:
      "time that devices waited for experts that were on their way when they were asked for / time that devices waited for experts",
    of: ({ cache }) => (cache?.prefetch === undefined ? null : shareOf(cache.prefetch.lateNs, cache.stallNs)),
  },
} as const satisfies Record<string, Metric>;
