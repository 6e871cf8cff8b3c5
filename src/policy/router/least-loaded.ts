import type { RouterPolicy, RouterView } from "./router.ts";

/** The target with the fewest outstanding tokens, ties to the lowest index. */
export function leastLoadedTarget(view: RouterView): number {
  let best = 0;
  let bestLoad = view.outstandingTokens(0);
  for (let target = 1; target < view.targets; target++) {
    const load = view.outstandingTokens(target);
    if (load >= bestLoad) continue;
    best = target;
    bestLoad = load;
  }
  return best;
}

/** Sends a request where the fewest tokens are waiting or running. */
export const leastLoadedRouter: RouterPolicy = {
  name: "least-loaded",
  create: () => ({ choose: (_request, view) => leastLoadedTarget(view) }),
};
