import type { RoutingTable } from "../routing-table.ts";
import { hitRate } from "../stats/lru-curve.ts";
import { shares, totalVariation } from "../stats/popularity.ts";
import { transitionDistance } from "../stats/transition.ts";
import { measureRouting } from "./routing-measure.ts";

/** How far one table's statistics are from another's: the largest difference over layers (and domains). */
export interface RoutingErrors {
  /** Total variation of popularity. */
  readonly popularity: number;
  readonly adjacentOverlap: number;
  /** Event-atomic LRU hit rate, the largest difference over all sizes. */
  readonly hitRate: number;
  /** Mass-weighted total variation of transition rows, all domains together. */
  readonly transition: number;
}

/** Compares a synthesised table with the recorded one; both need the same model and domains. */
export function routingErrors(recorded: RoutingTable, synthesised: RoutingTable): RoutingErrors {
  const goal = measureRouting(recorded);
  const shown = measureRouting(synthesised);
  const errors = { popularity: 0, adjacentOverlap: 0, hitRate: 0, transition: 0 };
  const note = (measure: keyof RoutingErrors, error: number): void => {
    errors[measure] = Math.max(errors[measure], error);
  };
  for (const [domain, layers] of goal.domains.entries())
    for (const [index, layer] of layers.entries()) {
      const other = shown.domains[domain]![index]!;
      note("popularity", totalVariation(shares(layer.counts), shares(other.counts)));
      note("adjacentOverlap", Math.abs(layer.overlap.share - other.overlap.share));
      for (let size = 1; size <= recorded.experts; size++)
        note("hitRate", Math.abs(hitRate(layer.curve, size) - hitRate(other.curve, size)));
    }
  for (const [layer, counts] of goal.transitions.entries())
    note("transition", transitionDistance(counts, shown.transitions[layer]!, recorded.experts));
  return errors;
}
