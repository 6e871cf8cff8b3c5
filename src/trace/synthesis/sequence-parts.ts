import type { RoutingTable } from "../routing-table.ts";
import { copyOfRows } from "../row-columns.ts";
import { overlapAtLag } from "../stats/overlap.ts";

/** Sequences of a domain that are alike in how much they reuse. */
export interface SequencePart {
  readonly domain: number;
  readonly sequences: readonly number[];
}

/** Sequences below this length say too little about their own reuse. */
const judgedTokens = 32;
/** A split has to separate the means by this much, and by so many standard errors: the best of many splits is tried. */
const smallestGap = 0.02;
const smallestScore = 6;
/** Each part needs this many tokens for statistics of its own. */
const partTokens = 500;

/**
 * Divides each domain in two where its sequences differ clearly in adjacent overlap, as prompts and decode slots in one
 * recording do: generated with their mean, neither kind would come out right.
 */
export function sequenceParts(table: RoutingTable): SequencePart[] {
  return table.domains.flatMap((_, domain) => {
    const sequences: number[] = [];
    for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++) {
      const start = table.sequenceStarts[sequence]!;
      if (start >= table.domainStarts[domain]! && start < table.domainStarts[domain + 1]!) sequences.push(sequence);
    }
    return splitByReuse(table, sequences).map((part) => ({ domain, sequences: part }));
  });
}

/** The table with its sequences in the order of the parts, each part as a domain. */
export function arrangedByParts(table: RoutingTable, parts: readonly SequencePart[]): RoutingTable {
  const ranges: [number, number][] = [];
  const sequenceStarts: number[] = [];
  const domainStarts: number[] = [];
  let row = 0;
  for (const part of parts) {
    domainStarts.push(row);
    for (const sequence of part.sequences) {
      const from = table.sequenceStarts[sequence]!;
      const to = table.sequenceStarts[sequence + 1]!;
      ranges.push([from, to]);
      sequenceStarts.push(row);
      row += to - from;
    }
  }
  return {
    ...table,
    ...copyOfRows(table, ranges),
    sequenceStarts: Uint32Array.from([...sequenceStarts, row]),
    domains: parts.map(({ domain }) => table.domains[domain]!),
    domainStarts: Uint32Array.from([...domainStarts, row]),
  };
}

function splitByReuse(table: RoutingTable, sequences: readonly number[]): (readonly number[])[] {
  const length = (sequence: number): number => table.sequenceStarts[sequence + 1]! - table.sequenceStarts[sequence]!;
  const judged = sequences
    .filter((sequence) => length(sequence) >= judgedTokens)
    .map((sequence) => ({ sequence, pairs: length(sequence) - 1, overlap: meanOverlap(table, sequence) }))
    .sort((a, b) => a.overlap - b.overlap);
  let best = { score: 0, at: 0 };
  for (let at = 1; at < judged.length; at++) {
    const low = judged.slice(0, at);
    const high = judged.slice(at);
    const gap = pooled(high) - pooled(low);
    const score = gap / standardError(table, low, high);
    const tokens = Math.min(pairsOf(low), pairsOf(high));
    if (gap >= smallestGap && tokens >= partTokens && score > best.score) best = { score, at };
  }
  if (best.score < smallestScore) return [sequences];
  const parts = [judged.slice(0, best.at), judged.slice(best.at)];
  const [shorter, longer] = parts.sort((a, b) => pairsOf(a) / a.length - pairsOf(b) / b.length);
  const inLonger = new Set(longer?.map(({ sequence }) => sequence));
  // Sequences too short to judge go with the shorter ones.
  return shorter === undefined
    ? [sequences]
    : [sequences.filter((sequence) => !inLonger.has(sequence)), sequences.filter((sequence) => inLonger.has(sequence))];
}

interface JudgedSequence {
  readonly sequence: number;
  readonly pairs: number;
  readonly overlap: number;
}

function meanOverlap(table: RoutingTable, sequence: number): number {
  let sum = 0;
  for (let layer = 0; layer < table.layers; layer++) sum += overlapAtLag(table, layer, 1, [sequence]).share;
  return sum / table.layers;
}

function pairsOf(sequences: readonly JudgedSequence[]): number {
  return sequences.reduce((sum, { pairs }) => sum + pairs, 0);
}

function pooled(sequences: readonly JudgedSequence[]): number {
  return sequences.reduce((sum, { pairs, overlap }) => sum + pairs * overlap, 0) / pairsOf(sequences);
}

/** Of the difference of the two means, counting every selection as an independent trial. */
function standardError(table: RoutingTable, low: readonly JudgedSequence[], high: readonly JudgedSequence[]): number {
  const variance = (sequences: readonly JudgedSequence[]): number => {
    const share = Math.min(0.99, Math.max(0.01, pooled(sequences)));
    return (share * (1 - share)) / (pairsOf(sequences) * table.topK * table.layers);
  };
  return Math.sqrt(variance(low) + variance(high));
}
