import { sum } from "../core/statistics.ts";
import type { Figures, RebalanceFigures } from "./figures.ts";
import type { Metric } from "./metric.ts";

/** The figure of pools that rebalance, null without any. */
const over =
  (of: (pools: readonly RebalanceFigures[]) => number | null) =>
  ({ rebalancing = [] }: Figures): number | null =>
    rebalancing.length === 0 ? null : of(rebalancing);

/** The lowest of a figure that some pools may lack. */
const lowest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
};

const shareOfSteps = over((pools) => {
  const stepS = sum(pools.map((pool) => pool.stepS));
  return stepS > 0 ? sum(pools.map(({ stallS }) => stallS)) / stepS : 0;
});
const balancedness = over((pools) => lowest(pools.map(({ balancednessAfter }) => balancednessAfter)));
const noRebalance = "no experts placed anew: policy.placement.rebalance is not set";

/** What placing experts anew took, and what it gave. */
export const rebalancing = {
  rebalances: {
    label: "new maps",
    row: "rebalances",
    unit: "maps",
    better: null,
    definition: "new maps of experts that replicas made while they served",
    of: over((pools) => sum(pools.map((pool) => pool.rebalances))),
  },
  rebalanceBytes: {
    label: "moved experts",
    row: "rebalance_bytes",
    unit: "B",
    better: "lower",
    definition: "bytes of experts that devices received for new maps",
    of: over((pools) => sum(pools.map(({ movedBytes }) => movedBytes))),
  },
  rebalanceShare: {
    label: "rebalance time",
    row: "rebalance_share",
    unit: "share",
    better: "lower",
    definition:
      "time that steps waited for experts on their way to new ranks, or took longer beside them / step time of pools that rebalance",
    of: shareOfSteps,
    slo: {
      dimension: "ratio",
      aggregations: ["rate"],
      byClass: false,
      judged: ({ run, figures }) => ({
        value: shareOfSteps(figures),
        ...(figures.rebalancing === undefined ? { samples: 0, reason: noRebalance } : { samples: run.steps }),
      }),
    },
  },
  balancednessBefore: {
    label: "balancedness before",
    row: "balancedness_before",
    unit: "ratio",
    better: "higher",
    definition: "balancedness over forward passes before the first new map; of several pools the lowest",
    of: over((pools) => lowest(pools.map((pool) => pool.balancednessBefore))),
  },
  balancednessAfter: {
    label: "balancedness after",
    row: "balancedness_after",
    unit: "ratio",
    better: "higher",
    definition:
      "tokens of the mean rank / tokens of the heaviest, each summed over MoE layers, mean over forward passes from the first new map " +
      "on with no move under way; of several pools the lowest",
    term: "balancedness",
    of: balancedness,
    slo: {
      dimension: "number",
      aggregations: ["value"],
      byClass: false,
      judged: ({ run, figures }) => {
        const value = balancedness(figures);
        if (value !== null) return { value, samples: run.steps };
        return {
          value,
          samples: 0,
          reason: figures.rebalancing === undefined ? noRebalance : "no pass under a new map",
        };
      },
    },
    // The share of time is left out: it shows in throughput, and doubles easily where it is next to nothing.
    regression: { sections: () => null },
  },
} as const satisfies Record<string, Metric>;
