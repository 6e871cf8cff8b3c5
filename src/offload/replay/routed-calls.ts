import type { CallLog } from "../../policy/cache/expert-cache.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";

/** The layer calls of a trace, as an expert cache sees them: expert e of layer l is key `l * experts + e`. */
export interface RoutedCalls extends CallLog {
  readonly layers: number;
  readonly experts: number;
  /** [accesses] tokens of the call that chose the expert. */
  readonly tokens: Uint16Array;
  /** [accesses] router weights of those tokens summed, where they were loaded. */
  readonly weights: Float32Array | null;
  /** Number of the call before which each sequence begins, ascending. */
  readonly sequenceCalls: readonly number[];
  /** Tokens served, and their choices of an expert in all layers. */
  readonly rows: number;
  readonly choices: number;
  /** Most distinct experts of a call. */
  readonly callMax: number;
}

/**
 * Sequences served side by side, `batch` of them: a step takes the next token of each and passes the layers in order, a call
 * each; the next sequence takes the place of one that has ended. A call has its distinct experts in the order in which they
 * are met, token after token. Calls without an expert are left out.
 */
export function routedCalls(table: RoutingTable, batch: number): RoutedCalls {
  const { ids, weights, layers, topK, experts, sequenceStarts } = table;
  const keys = new Uint32Array(ids.length);
  const tokens = new Uint16Array(ids.length);
  const sums = weights === undefined ? null : new Float32Array(ids.length);
  const starts = new Uint32Array(table.rows * layers + 1);
  const sequenceCalls: number[] = [];
  const placeOf = new Int32Array(experts).fill(-1);
  const sequences = sequenceStarts.length - 1;
  const places: { row: number; end: number }[] = [];
  let next = 0;
  let calls = 0;
  let accesses = 0;
  let choices = 0;
  let callMax = 0;
  for (;;) {
    for (let place = places.length - 1; place >= 0; place--)
      if (places[place]!.row === places[place]!.end) places.splice(place, 1);
    while (places.length < batch && next < sequences) {
      places.push({ row: sequenceStarts[next]!, end: sequenceStarts[next + 1]! });
      sequenceCalls.push(calls);
      next += 1;
    }
    if (places.length === 0) break;
    for (let layer = 0; layer < layers; layer++) {
      const first = accesses;
      for (const { row } of places) {
        const from = (row * layers + layer) * topK;
        for (let at = from; at < from + topK; at++) {
          const expert = ids[at]!;
          if (expert >= experts) continue;
          choices += 1;
          let to = placeOf[expert]!;
          if (to < first) {
            to = accesses++;
            placeOf[expert] = to;
            keys[to] = layer * experts + expert;
          }
          tokens[to]! += 1;
          if (sums !== null) sums[to]! += weights![at]!;
        }
      }
      if (accesses === first) continue;
      callMax = Math.max(callMax, accesses - first);
      starts[++calls] = accesses;
    }
    for (const place of places) place.row += 1;
  }
  return {
    layers,
    experts,
    keys: keys.subarray(0, accesses),
    starts: starts.subarray(0, calls + 1),
    calls,
    tokens: tokens.subarray(0, accesses),
    weights: sums?.subarray(0, accesses) ?? null,
    sequenceCalls,
    rows: table.rows,
    choices,
    callMax,
  };
}

/** Calls that asked for each expert: [layers x experts]. */
export function usesOf({ keys, layers, experts }: RoutedCalls): Float64Array {
  const uses = new Float64Array(layers * experts);
  for (const key of keys) uses[key]! += 1;
  return uses;
}

/** Experts that are asked for at all: a miss each under any policy that starts empty. */
export const coldMisses = (calls: RoutedCalls): number => usesOf(calls).filter((uses) => uses > 0).length;
