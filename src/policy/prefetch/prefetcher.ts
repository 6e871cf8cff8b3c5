import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import type { Guesses } from "./guesses.ts";
import type { QualityMatrix } from "./quality-matrix.ts";

/**
 * A step on its way through the MoE layers, as prefetchers know it. Experts are dense keys, layer x experts + expert; layers
 * are MoE layers of the model, in the order in which a step visits them. Only what the expert rank of the cache computes is seen.
 */
export interface PrefetchStep {
  /** Rows of the routing table that the tokens of the step read: rows[0 .. count), in batch order. */
  readonly rows: Int32Array;
  readonly count: number;
  /**
   * Writes the distinct experts that the step will ask for at a layer, in the order in which they are met; returns how many. For
   * policies that are `emulated` alone. What a prefetcher learned from does not include the step.
   */
  choices(layer: number, out: Uint32Array): number;
}

/**
 * Guesses which experts later layers will ask for. It is told of every call of its cache in order. How many guesses are
 * followed, how long guessing takes and when a wrong one is given up is for the run.
 */
export interface Prefetcher {
  /** A step begins: guesses for its first layers, and whatever is known before any layer has chosen. */
  stepStarts(step: PrefetchStep, out: Guesses): void;
  /**
   * The tokens have chosen the experts keys[0 .. count) of `layer`. Adds guesses for the layers behind it, the most wanted
   * first; most policies want all of a layer before those of the next.
   */
  layerChosen(step: PrefetchStep, layer: number, keys: Uint32Array, count: number, out: Guesses): void;
  /** A request begins. Absent: it changes nothing. */
  requestStarts?(): void;
}

/**
 * What a prefetcher may ask for: rows to learn from; the token of each row in both tables; `depth`: a recorded layer for each MoE
 * layer, as it goes by how layers follow one another.
 */
export type PrefetchNeed = "training" | "tokens" | "depth";

/** What all caches of a run have in common. */
export interface PrefetchContext {
  /** MoE layers of the model and experts of each. */
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
  /** Layers ahead that are guessed. */
  readonly distance: number;
  /** Guesses for one layer that the run follows. */
  readonly budget: number;
  /** [MoE layers] layer of the routing tables that each replays. */
  readonly layerMap: readonly number[];
  /** The routing that is replayed. */
  readonly replayed: RoutingTable;
  /** Rows to learn from, none of which is replayed; null where nothing is learned. */
  readonly training: RoutingTable | null;
  /** What the `file` of the parameters holds, by recorded layer; null where none is given. */
  readonly quality: QualityMatrix | null;
  readonly seed: number;
}

/** The cache that a prefetcher guesses for. */
export interface PrefetchedCache {
  /** Different for every cache of a run: its prefetcher draws on its own. */
  readonly index: number;
  /** [layers x experts] 1 for each expert that this cache serves; null: all of them. Nothing else is guessed. */
  readonly held: Uint8Array | null;
}

/** A prefetcher: one file each, listed in `prefetchers.ts`. */
export interface PrefetchPolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly needs: readonly PrefetchNeed[];
  /** Whether it stands for a predictor by its quality alone: it knows what is going to be asked, and errs as often as is said. */
  readonly emulated: boolean;
  readonly parameters: Shape;
  /** Time of one guess unless the scenario says otherwise, ns; published figures, with their source in the file. */
  latencyNs(values: ParameterValues<Shape>): number;
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  /** What of the values does not suit the model, at the key to mend. Absent: any values suit any model. */
  misfit?(context: PrefetchContext, values: ParameterValues<Shape>): Contradiction | null;
  /** Learns what there is to learn, once for all caches of a run; a prefetcher keeps what belongs to one of them. */
  prepare(context: PrefetchContext, values: ParameterValues<Shape>): (cache: PrefetchedCache) => Prefetcher;
}
