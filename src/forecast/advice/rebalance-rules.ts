import { parametersIn } from "../../core/parameters.ts";
import type { RebalancePolicy } from "../../policy/rebalance/rebalance.ts";
import { rebalances } from "../../policy/rebalance/rebalances.ts";
import type { AdviceRule, Situation } from "./advice-rule.ts";

const path = "policy.placement.rebalance";

/** The parameters of how experts are placed anew; null where they stay. */
function rebalancing({ policy }: Situation): Readonly<Record<string, unknown>> | null {
  const section = policy.placement?.rebalance;
  if (section === undefined) return null;
  const { parameters }: RebalancePolicy = rebalances[section.kind];
  return parametersIn(parameters, section);
}

/** Steps go on while experts move. */
export const movesBeside: AdviceRule = {
  causes: ["rebalance"],
  change: (situation) =>
    rebalancing(situation)?.["async"] === false
      ? { text: "experts moved beside forward passes", set: [`${path}.async=true`] }
      : null,
};

/** The same moves on a quarter of the occasions, or one layer at a time. */
export const rebalancedLess: AdviceRule = {
  causes: ["rebalance"],
  change: (situation) => {
    const values = rebalancing(situation);
    const interval = values?.["interval"];
    if (typeof interval === "number")
      return { text: "experts placed anew less often", set: [`${path}.interval=${4 * interval}`] };
    const layers = values?.["layerUpdatesPerIter"];
    return typeof layers === "number" && layers > 1
      ? { text: "fewer layers placed anew in a forward pass", set: [`${path}.layerUpdatesPerIter=1`] }
      : null;
  },
};
