import type { RouterPolicy } from "./router.ts";

/** Targets in turn, whatever their load. */
export const roundRobinRouter: RouterPolicy = {
  name: "round-robin",
  create: (targets) => {
    let next = 0;
    return {
      choose: () => {
        const target = next;
        next = target + 1 === targets ? 0 : target + 1;
        return target;
      },
    };
  },
};
