import type { RoutingRule } from "../../models/routing.ts";

/** Softmax over all experts, the weights of the chosen ones as they are or divided by their sum. */
export function softmaxTopK(normalisesTopK: boolean): RoutingRule {
  return { scoring: "softmax", normalisesTopK, scale: 1, groups: null };
}
