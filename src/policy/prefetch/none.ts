import type { PrefetchPolicy } from "./prefetcher.ts";

/** Guesses nothing: what others are compared with on the same rows, where some are left out for them to learn from. */
export const none: PrefetchPolicy = {
  name: "none",
  rule: "Guesses nothing: every missing expert is fetched on demand.",
  needs: [],
  emulated: false,
  parameters: {},
  latencyNs: () => 0,
  prepare: () => () => ({ stepStarts: () => {}, layerChosen: () => {} }),
};
