import type { RoutingTable } from "../routing-table.ts";
import { forEachSegment } from "./segment-windows.ts";

/**
 * Segment routing best performance of a group of experts (SRP, "Not All Models Suit Expert Offloading", arXiv 2505.16056,
 * section 3.1 and appendix C.1): how well a fixed set of experts for so many consecutive tokens covers what they choose. An
 * expert counts as active in a segment that uses it at least a times; SRP is the best F1 score of that guess over all a, one
 * for the whole group. Segments start at every token of a sequence. Never below 2 r / (r + 1), which guessing every expert
 * gives, r being the share of the tokens that choose an expert of the group.
 */
export interface SegmentRouting {
  readonly srp: number;
  /** Uses in a segment that make an expert active where F1 is best; the lowest of equals. */
  readonly threshold: number;
  /** Experts held over experts used at that threshold: the cache that the guess asks for, in units of topK (rho-hat). */
  readonly rhoHat: number;
}

/** SRP of all experts of a layer; null where no sequence is as long as a segment. */
export function segmentRouting(table: RoutingTable, layer: number, segment: number): SegmentRouting | null {
  return bestThreshold(sumOfExperts(segmentUses(table, layer, segment), segment), segment);
}

/** SRP of each expert of a layer, each with a threshold of its own; 0 for one that is never used. */
export function expertSegmentRouting(table: RoutingTable, layer: number, segment: number): (SegmentRouting | null)[] {
  const uses = segmentUses(table, layer, segment);
  return Array.from({ length: table.experts }, (_, expert) =>
    bestThreshold(uses.subarray(expert * (segment + 1), (expert + 1) * (segment + 1)), segment),
  );
}

/** SRP of all experts of all layers, with one threshold. */
export function modelSegmentRouting(table: RoutingTable, segment: number): SegmentRouting | null {
  const counts = new Float64Array(segment + 1);
  for (let layer = 0; layer < table.layers; layer++) {
    const ofLayer = sumOfExperts(segmentUses(table, layer, segment), segment);
    for (let uses = 0; uses <= segment; uses++) counts[uses]! += ofLayer[uses]!;
  }
  return bestThreshold(counts, segment);
}

/** The threshold with the best F1 of a group that has `counts[n]` (expert, segment) pairs with n uses. */
function bestThreshold(counts: Float64Array, segment: number): SegmentRouting | null {
  let used = 0;
  let pairs = 0;
  for (let uses = 0; uses <= segment; uses++) {
    used += uses * counts[uses]!;
    pairs += counts[uses]!;
  }
  if (pairs === 0) return null;
  let best: SegmentRouting = { srp: 0, threshold: 0, rhoHat: 0 };
  if (used === 0) return best;
  let covered = 0;
  let active = 0;
  for (let threshold = segment; threshold >= 0; threshold--) {
    covered += threshold * counts[threshold]!;
    active += counts[threshold]!;
    const srp = (2 * covered) / (segment * active + used);
    if (srp >= best.srp) best = { srp, threshold, rhoHat: (segment * active) / used };
  }
  return best;
}

function sumOfExperts(uses: Float64Array, segment: number): Float64Array {
  const sums = new Float64Array(segment + 1);
  for (let at = 0; at < uses.length; at++) sums[at % (segment + 1)]! += uses[at]!;
  return sums;
}

/** How many segments have 0 .. segment uses of each expert: [experts][segment + 1]. */
function segmentUses(table: RoutingTable, layer: number, segment: number) {
  const counts = new Float64Array(table.experts * (segment + 1));
  forEachSegment(table, layer, segment, (uses) => {
    for (let e = 0; e < uses.length; e++) counts[e * (segment + 1) + uses[e]!]!++;
  });
  return counts;
}
