import { pow } from "../../core/pow.ts";
import type { RoutingTable } from "../routing-table.ts";

/** Mean distinct experts of windows of `tokens` consecutive tokens that do not cross a sequence; null if none fits. */
export function distinctPerWindow(table: RoutingTable, layer: number, tokens: number): number | null {
  const { ids, topK, experts, sequenceStarts } = table;
  const stride = table.layers * topK;
  const seen = new Int32Array(experts).fill(-1);
  let windows = 0;
  let distinct = 0;
  for (let sequence = 0; sequence + 1 < sequenceStarts.length; sequence++) {
    const end = sequenceStarts[sequence + 1]!;
    for (let start = sequenceStarts[sequence]!; start + tokens <= end; start += tokens) {
      for (let row = start; row < start + tokens; row++) {
        const from = row * stride + layer * topK;
        for (let at = from; at < from + topK; at++) {
          if (ids[at]! >= experts || seen[ids[at]!] === windows) continue;
          seen[ids[at]!] = windows;
          distinct += 1;
        }
      }
      windows += 1;
    }
  }
  return windows === 0 ? null : distinct / windows;
}

/** Expected distinct experts of `tokens` tokens that choose uniformly and independently. */
export function uniformDistinct(experts: number, topK: number, tokens: number): number {
  return experts * (1 - pow(1 - topK / experts, tokens));
}

/** Sequences that run side by side: step t takes token t of each. */
export interface BatchSteps {
  readonly sequences: number;
  /** Steps in which every sequence has a token. */
  readonly steps: number;
  /** Mean distinct experts of a step, and what uniform routing would give. */
  readonly distinct: number;
  readonly uniformDistinct: number;
  /** Mean share of a sequence's experts that the same sequence used one step before. */
  readonly sameSequence: number;
  /** Mean share of a sequence's experts that any sequence used one step before. */
  readonly anySequence: number;
  /** Mean over steps of the highest expert load over the mean load. */
  readonly maxOverMean: number;
}

/** Statistics of steps of the given sequences side by side; null if no step is full. */
export function batchSteps(table: RoutingTable, layer: number, sequences: readonly number[]): BatchSteps | null {
  const { ids, topK, experts, sequenceStarts } = table;
  const stride = table.layers * topK;
  const side = sequences.length;
  const lengths = sequences.map((sequence) => sequenceStarts[sequence + 1]! - sequenceStarts[sequence]!);
  const steps = Math.min(...lengths);
  if (side === 0 || steps === 0) return null;
  const usedAt = new Int32Array(experts).fill(-2);
  const loads = new Uint32Array(experts);
  let distinct = 0;
  let same = 0;
  let any = 0;
  let imbalance = 0;
  for (let step = 0; step < steps; step++) {
    loads.fill(0);
    let max = 0;
    for (const sequence of sequences) {
      const from = (sequenceStarts[sequence]! + step) * stride + layer * topK;
      for (let at = from; at < from + topK; at++) {
        const expert = ids[at]!;
        if (expert >= experts) continue;
        if (usedAt[expert] === step - 1) any += 1;
        if (step > 0 && ids.subarray(from - stride, from - stride + topK).includes(expert)) same += 1;
        loads[expert]! += 1;
        max = Math.max(max, loads[expert]!);
      }
    }
    for (let expert = 0; expert < experts; expert++) {
      if (loads[expert] === 0) continue;
      usedAt[expert] = step;
      distinct += 1;
    }
    imbalance += (max * experts) / (side * topK);
  }
  const selections = Math.max(1, (steps - 1) * side * topK);
  return {
    sequences: side,
    steps,
    distinct: distinct / steps,
    uniformDistinct: uniformDistinct(experts, topK, side),
    sameSequence: same / selections,
    anySequence: any / selections,
    maxOverMean: imbalance / steps,
  };
}
