import { leastLoadedRouter } from "./least-loaded.ts";
import { prefixAwareRouter } from "./prefix-aware.ts";
import { roundRobinRouter } from "./round-robin.ts";
import type { RouterPolicy } from "./router.ts";

/** Request routers by the name a scenario uses. */
export const routers = {
  "round-robin": roundRobinRouter,
  "least-loaded": leastLoadedRouter,
  "prefix-aware": prefixAwareRouter,
} as const satisfies Record<string, RouterPolicy>;
