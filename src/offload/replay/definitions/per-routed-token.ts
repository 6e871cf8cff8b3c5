import { staticTop } from "../../../policy/cache/static-top.ts";
import { cacheFor, replayCalls } from "../replay-calls.ts";
import type { HitDefinition } from "./hit-definition.ts";

/** Fiddler's set is the most used over the whole model, and never changes: the policy asked for plays no part. */
export const perRoutedToken: HitDefinition = {
  name: "per-routed-token",
  policy: staticTop.name,
  counts: "each choice of a token",
  state: "a set fixed before the run",
  coldFill: "none: the set is loaded beforehand",
  scope: "model",
  source: "Fiddler, arXiv 2402.07033 (efeslab/fiddler at 227715b)",
  measure: ({ calls, slots, popularity }) => {
    const cache = cacheFor(staticTop, calls, { scope: "global", slots, popularity });
    const { choiceHits, choices } = replayCalls(calls, cache);
    return { hits: choiceHits, accesses: choices };
  },
};
