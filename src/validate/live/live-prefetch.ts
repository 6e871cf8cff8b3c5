import { refuse } from "../../core/errors.ts";
import type { PrefetchedCache, Prefetcher, PrefetchPolicy } from "../../policy/prefetch/prefetcher.ts";
import { defaultsOf, prefetchers } from "../../policy/prefetch/prefetchers.ts";
import { splitSequences } from "../../policy/prefetch/training-rows.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";

/** Prefetchers that are run on real experts: those that need no tokens and no parameters. */
export const livePrefetchers = ["perfect", "previous-token", "frequency", "layer-markov", "co-occurrence"] as const;
export type LivePrefetcherName = (typeof livePrefetchers)[number];

/** Who guesses experts of the next layer, on the real cache and on the simulated one alike. */
export interface LivePrefetch {
  readonly name: LivePrefetcherName;
  /** Guesses for one layer that are followed: as many as a token chooses. */
  readonly budget: number;
  /** Rows that it learned from, none of which is run; 0 where it learns nothing. */
  readonly trainingRows: number;
  /** Whether these rows and those of the run are of one sequence, which was cut. */
  readonly cut: boolean;
  readonly prepare: () => (cache: PrefetchedCache) => Prefetcher;
}

/** What became of the experts that were sent ahead. */
export interface SentCounts {
  /** Experts sent: each was used, thrown out of the cache, or left there at the end of the run. */
  readonly followed: number;
  readonly useful: number;
  readonly evicted: number;
  readonly unused: number;
  /** Guesses for which the cache had no room. */
  readonly refused: number;
  /** Used ones that were still on their way when their layer asked for them. */
  readonly late: number;
}

/** Share of the rows that a prefetcher learns from. */
const trainingShare = 0.5;

/** A prefetcher with what it learns from a trace, and the rows that are left to be run. */
export function livePrefetch(
  name: LivePrefetcherName,
  table: RoutingTable,
): { readonly prefetch: LivePrefetch; readonly replayed: RoutingTable } {
  const policy: PrefetchPolicy = prefetchers[name];
  const learns = policy.needs.includes("training");
  const split = learns ? splitSequences(table, trainingShare) : null;
  if (learns && split === null)
    refuse({
      file: table.origin.name,
      expected: `rows for ${name} to learn from beside those that are run`,
      found: `${table.rows}`,
    });
  const replayed = split?.test ?? table;
  const { layers, experts, topK } = table;
  const context = {
    layers,
    experts,
    topK,
    distance: 1,
    budget: topK,
    layerMap: Array.from({ length: layers }, (_, layer) => layer),
    replayed,
    training: split?.training ?? null,
    quality: null,
    seed: 0,
  };
  return {
    prefetch: {
      name,
      budget: topK,
      trainingRows: split?.training.rows ?? 0,
      cut: split?.cut ?? false,
      prepare: () => policy.prepare(context, defaultsOf(policy)),
    },
    replayed,
  };
}
