import type { RoutingOrigin } from "../routing-table.ts";

/**
 * What a routing generator knows about a trace: plain JSON, no recorded row in it. The model behind it draws the
 * topK experts of a token and layer without replacement, with weights
 *   exp(base[expert] + recency[depth of the expert in the LRU stack] + sum of lift[expert chosen one layer up][expert]).
 * The LRU stack of a layer is emptied where a sequence starts. `base` carries popularity, `recency` the reuse at every
 * distance (adjacent overlap and the whole LRU curve follow from it), `lift` the cross-layer transition.
 */
export interface RoutingStatistics {
  readonly format: "moecast.routing-statistics/1";
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  readonly modelLayers: readonly number[];
  /** Experts are drawn in equal numbers from this many contiguous groups of experts (grouped top-k); 1 = no groups. */
  readonly groups: number;
  readonly domains: readonly DomainStatistics[];
  /**
   * Per layer, the log lifts towards the next layer, [experts][experts] as base64 of little-endian int16 in units of
   * 1/256; null where layers are drawn independently.
   */
  readonly lifts: readonly string[] | null;
  /** Per layer, the log lifts between experts of one token, packed alike. */
  readonly pairs: readonly string[] | null;
  readonly origin: RoutingOrigin;
}

/** Statistics of the rows of one domain. */
export interface DomainStatistics {
  readonly name: string;
  /** Share of the tokens. */
  readonly share: number;
  /** Lengths of sequences in tokens, each standing for an equal share of the sequences. */
  readonly sequenceTokens: readonly number[];
  readonly layers: readonly LayerStatistics[];
}

/** Measured targets of one layer, and the log weights that reproduce them. */
export interface LayerStatistics {
  /** Share of the selections each expert takes; sums to 1. */
  readonly popularity: readonly number[];
  /** Mean of |S(t) and S(t-1)| / topK inside a sequence. */
  readonly adjacentOverlap: number;
  /** Event-atomic LRU hit rate with 1 .. experts slots. */
  readonly hitRate: readonly number[];
  /** Log weight of each expert. */
  readonly base: readonly number[];
  /** Log weight at each depth of the LRU stack, 0 = most recent; the last entry is for experts not used so far. */
  readonly recency: readonly number[];
  /** Log weight of each chosen expert to be stored first. */
  readonly lead: readonly number[];
  /** Added to the log weight of the expert that was stored first for the token before. */
  readonly leadRepeat: number;
}

const liftUnit = 1 / 256;

/** Packs log lifts for {@link RoutingStatistics.lifts}. */
export function packLift(lift: Float64Array): string {
  const packed = new DataView(new ArrayBuffer(lift.length * 2));
  for (let at = 0; at < lift.length; at++)
    packed.setInt16(at * 2, Math.max(-32767, Math.min(32767, Math.round(lift[at]! / liftUnit))), true);
  return Buffer.from(packed.buffer).toString("base64");
}

/** Unpacks log lifts. */
export function unpackLift(text: string): Float64Array {
  const bytes = Buffer.from(text, "base64");
  const lift = new Float64Array(bytes.length / 2);
  for (let at = 0; at < lift.length; at++) lift[at] = bytes.readInt16LE(at * 2) * liftUnit;
  return lift;
}
