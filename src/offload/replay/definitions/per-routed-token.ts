import { cacheFor, replayCalls } from "../replay-calls.ts";
import type { HitDefinition } from "./hit-definition.ts";

/** Fiddler's set is the most used over the whole model. Under a policy that evicts, the state is that before the call. */
export const perRoutedToken: HitDefinition = {
  name: "per-routed-token",
  counts: "each choice of a token",
  state: "a set fixed before the run",
  coldFill: "none: the set is loaded beforehand",
  scope: "model",
  source: "Fiddler, arXiv 2402.07033 (efeslab/fiddler at 227715b)",
  measure: ({ calls, policy, slots, popularity }) => {
    const { choiceHits, choices } = replayCalls(calls, cacheFor(policy, calls, { scope: "global", slots, popularity }));
    return { hits: choiceHits, accesses: choices };
  },
};
