import { cacheFor, replayCalls } from "../replay-calls.ts";
import type { HitDefinition } from "./hit-definition.ts";

/** What every run of moecast counts. */
export const physical: HitDefinition = {
  name: "physical",
  counts: "each distinct expert of a layer call",
  state: "before the call; no expert of a call that fits is evicted by it",
  coldFill: "a miss",
  scope: "layer",
  source: "moecast",
  measure: ({ calls, policy, slots, popularity }) =>
    replayCalls(calls, cacheFor(policy, calls, { scope: "layer", slots, popularity })),
};
