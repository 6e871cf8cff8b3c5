import { leastLoadedTarget } from "./least-loaded.ts";
import type { RouterPolicy } from "./router.ts";

/**
 * Largest load, over the least load, with which a target wins by its cache. Prompt tokens that it holds do not count.
 */
export const prefixLoadFactor = 1.5;

/**
 * Sends a request to the target that holds most of its prompt, ties to the least loaded, then the lowest index. Cache
 * affinity must not build a queue. The target loses to the least loaded one if its outstanding tokens, less the prompt
 * tokens that it would save, exceed {@link prefixLoadFactor} times the least load. The idea is that of SGLang's
 * cache-aware router. Its approximate prefix tree is left out: the simulator knows the blocks.
 */
export const prefixAwareRouter: RouterPolicy = {
  name: "prefix-aware",
  create: () => ({
    choose: (request, view) => {
      const leastLoaded = leastLoadedTarget(view);
      let best = leastLoaded;
      let bestCached = view.cachedPromptTokens(leastLoaded, request);
      for (let target = 0; target < view.targets; target++) {
        const cached = view.cachedPromptTokens(target, request);
        const lighter = view.outstandingTokens(target) < view.outstandingTokens(best);
        if (cached < bestCached || (cached === bestCached && !lighter)) continue;
        best = target;
        bestCached = cached;
      }
      const limit = prefixLoadFactor * view.outstandingTokens(leastLoaded);
      return view.outstandingTokens(best) - bestCached > limit ? leastLoaded : best;
    },
  }),
};
