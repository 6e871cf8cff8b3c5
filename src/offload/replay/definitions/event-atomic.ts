import { cacheFor } from "../replay-calls.ts";
import type { RoutedCalls } from "../routed-calls.ts";
import type { HitDefinition } from "./hit-definition.ts";

/**
 * The event is judged as a whole; then the cache is updated access by access, and may evict an expert of the event itself. The
 * paper's simulator keeps the highest ranked of residents and event together, which is the same for recency and load order.
 */
export const eventAtomic: HitDefinition = {
  name: "event-atomic",
  counts: "each distinct expert of an event (step, layer)",
  state: "before the event; changes once all of it is served",
  coldFill: "a miss",
  scope: "layer",
  source: "arXiv 2608.07911 (shijiuzhang/moe-cache-eval at b8c702f)",
  measure: ({ calls, policy, slots, popularity }) => {
    const single = accessesOf(calls);
    const cache = cacheFor(policy, single, { scope: "layer", slots, popularity });
    const { keys, starts, sequenceCalls } = calls;
    const hit = new Uint8Array(1);
    let sequence = 0;
    let hits = 0;
    for (let call = 0; call < calls.calls; call++) {
      for (; sequenceCalls[sequence] === call; sequence++) cache.requestStarts?.();
      for (let i = starts[call]!; i < starts[call + 1]!; i++) if (cache.contains(keys[i]!)) hits += 1;
      for (let i = starts[call]!; i < starts[call + 1]!; i++) cache.call(keys, i, i + 1, hit);
    }
    return { hits, accesses: keys.length };
  },
};

/** The accesses, each a call. */
const accessesOf = (calls: RoutedCalls): RoutedCalls => ({
  ...calls,
  starts: Uint32Array.from({ length: calls.keys.length + 1 }, (_, position) => position),
  calls: calls.keys.length,
});
