import { z } from "zod";
import type { CachePolicy } from "./expert-cache.ts";
import { ActivationAwareCache } from "./moe-infinity-paper.ts";
import { RequestPriorityCache } from "./moe-infinity-repo.ts";

const parameters = {
  variant: z
    .enum(["paper", "repo"])
    .default("paper")
    .describe(
      "paper: by what similar requests of the past used; repo: the scorer of the published code, by what this request used. What that " +
        "code does at run time is lfu with reset request.",
    ),
  store: z
    .int()
    .min(1)
    .max(1e5)
    .default(120)
    .describe("Requests that are remembered; the paper finds about 120 enough. For variant paper."),
};

/**
 * Activation-aware caching of MoE-Infinity (arXiv 2401.14361), in the form that the paper describes and in that of the scorer in its
 * repository, which its runtime does not call. Both rank the experts of all layers. Both see a request as all calls since the
 * latest request began: exact with one request at a time.
 */
export const moeInfinity: CachePolicy<typeof parameters> = {
  name: "moe-infinity",
  rule: "Evicts the expert that similar requests of the past used least, later layers first.",
  needs: ["layers"],
  // The repository's scorer counts each layer by itself.
  matchesLayers: ({ variant }) => variant === "paper",
  parameters,
  create: (context, { variant, store } = { variant: "paper", store: 120 }) =>
    variant === "paper" ? new ActivationAwareCache(context, store) : new RequestPriorityCache(context),
};
