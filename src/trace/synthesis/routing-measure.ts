import type { RoutingTable } from "../routing-table.ts";
import { type LruCurve, lruCurve } from "../stats/lru-curve.ts";
import { type Overlap, overlapAtLag } from "../stats/overlap.ts";
import { expertCounts } from "../stats/popularity.ts";
import { pairCounts, transitionCounts } from "../stats/transition.ts";

/** What the generator has to reproduce, counted in a table. */
export interface RoutingMeasure {
  /** [domain][layer] */
  readonly domains: readonly (readonly LayerMeasure[])[];
  /** [layer] towards the next one, all domains together. */
  readonly transitions: readonly Float64Array[];
  /** [layer] between experts of one token. */
  readonly pairs: readonly Float64Array[];
}

export interface LayerMeasure {
  readonly tokens: number;
  readonly counts: Float64Array;
  readonly curve: LruCurve;
  readonly overlap: Overlap;
  /** Tokens whose first stored expert is each expert, and the share whose first one repeats that of the token before. */
  readonly leads: { readonly counts: Float64Array; readonly repeat: number };
}

/**
 * Counts a table; used on the recorded trace and on each trial run of the fit. Matrices between experts, which take
 * most of the time, can be left out.
 */
export function measureRouting(table: RoutingTable, matrices = true): RoutingMeasure {
  const domains = table.domains.map((_, domain) => {
    const part = domainRows(table, domain);
    return Array.from({ length: table.layers }, (_, layer) => measureLayer(table, part, layer));
  });
  if (!matrices) return { domains, transitions: [], pairs: [] };
  const transitions = Array.from({ length: Math.max(0, table.layers - 1) }, (_, layer) =>
    transitionCounts(table, layer),
  );
  const pairs = Array.from({ length: table.layers }, (_, layer) => pairCounts(table, layer));
  return { domains, transitions, pairs };
}

/** Sequences and rows of one domain. */
interface DomainRows {
  readonly from: number;
  readonly to: number;
  readonly sequences: readonly number[];
  readonly starts: readonly number[];
}

function domainRows(table: RoutingTable, domain: number): DomainRows {
  const from = table.domainStarts[domain]!;
  const to = table.domainStarts[domain + 1]!;
  const sequences: number[] = [];
  for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++) {
    const start = table.sequenceStarts[sequence]!;
    if (start >= from && start < to) sequences.push(sequence);
  }
  return {
    from,
    to,
    sequences,
    starts: [...sequences.map((sequence) => table.sequenceStarts[sequence]! - from), to - from],
  };
}

function measureLayer(table: RoutingTable, part: DomainRows, layer: number): LayerMeasure {
  const { topK, experts } = table;
  const stride = table.layers * topK;
  const tokens = part.to - part.from;
  const ids = new Uint16Array(tokens * topK);
  const leads = new Float64Array(experts);
  for (let row = 0; row < tokens; row++) {
    const from = (part.from + row) * stride + layer * topK;
    for (let at = 0; at < topK; at++) ids[row * topK + at] = table.ids[from + at]!;
    leads[ids[row * topK]!]! += 1;
  }
  const overlap = overlapAtLag(table, layer, 1, part.sequences);
  return {
    tokens,
    counts: expertCounts(table, layer, part.from, part.to),
    curve: lruCurve(ids, tokens, topK, experts, part.starts),
    overlap,
    leads: { counts: leads, repeat: overlap.leadRepeat },
  };
}
