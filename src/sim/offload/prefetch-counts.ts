import type { PrefetchCounts } from "../result.ts";
import type { OffloadState } from "./offload-state.ts";
import type { PrefetchLane } from "./prefetch-lane.ts";

/** What became of the experts that all caches of a run were sent ahead. */
export function prefetchCounts(kind: string, caches: readonly OffloadState[]): PrefetchCounts {
  const sum = (pick: (lane: PrefetchLane) => number) =>
    caches.reduce((total, { ahead }) => total + (ahead === null ? 0 : pick(ahead)), 0);
  return {
    kind,
    followed: sum((lane) => lane.followed),
    useful: sum((lane) => lane.inTime + lane.late),
    late: sum((lane) => lane.late),
    evicted: sum((lane) => lane.evicted),
    preempted: sum((lane) => lane.preempted),
    unused: sum((lane) => lane.unused),
    refused: sum((lane) => lane.refused),
    bytes: sum((lane) => lane.linkBytes),
    wastedBytes: sum((lane) => lane.wastedBytes),
    lateNs: caches.reduce((total, { lateNs }) => total + lateNs, 0),
  };
}
