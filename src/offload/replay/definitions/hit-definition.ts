import type { CachePolicy } from "../../../policy/cache/expert-cache.ts";
import type { RoutingTable } from "../../../trace/routing-table.ts";
import type { RoutedCalls } from "../routed-calls.ts";

/** A policy on a trace, to be counted under a definition. */
export interface DefinedReplay {
  readonly table: RoutingTable;
  /** The calls of that table. */
  readonly calls: RoutedCalls;
  readonly policy: CachePolicy;
  /** Slots of each layer; a definition over the whole model has as many in all as the layers would have. */
  readonly slots: number;
  /** [layers x experts] uses on which a policy that needs them is fitted. */
  readonly popularity: Float64Array | null;
}

export interface DefinedHits {
  readonly hits: number;
  readonly accesses: number;
}

/** What a source means by "hit rate": one file each, listed in `hit-definitions.ts`. */
export interface HitDefinition {
  readonly name: string;
  /** The policy that the definition is made for, where it knows no other. */
  readonly policy?: string;
  /** What is divided: the accesses. */
  readonly counts: string;
  /** The state against which an access is judged, and when it changes. */
  readonly state: string;
  /** What happens to an access while the cache is not full. */
  readonly coldFill: string;
  readonly scope: "layer" | "model";
  readonly source: string;
  measure(replay: DefinedReplay): DefinedHits;
}
