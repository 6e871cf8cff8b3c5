import { cacheFor, replayCalls } from "../replay-calls.ts";
import type { HitDefinition } from "./hit-definition.ts";

/**
 * Sources of this kind print the experts loaded per layer and token: topK times the share that is missing here. They do not say
 * how they judge; the state is taken as that before the call. A load serves all tokens of its call.
 */
export const newPerLayerToken: HitDefinition = {
  name: "new-per-layer-token",
  counts: "each choice of a token, less the loads",
  state: "before the call (not stated by the sources)",
  coldFill: "a miss (not stated by the sources)",
  scope: "layer",
  source: "llama.cpp and its relatives, such as kekzl/imp",
  measure: ({ calls, policy, slots, popularity }) => {
    const { accesses, hits, choices } = replayCalls(
      calls,
      cacheFor(policy, calls, { scope: "layer", slots, popularity }),
    );
    return { hits: choices - (accesses - hits), accesses: choices };
  },
};
