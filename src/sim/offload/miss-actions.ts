import { lossyActions, type MissAction, missActions } from "../../policy/miss/miss-policy.ts";
import type { OffloadConfig } from "../config.ts";
import type { MissActions } from "../result.ts";
import type { OffloadState } from "./offload-state.ts";

/** What a run did about its misses; null where all of them were fetched. */
export function missActionsOf({ miss }: OffloadConfig, caches: readonly OffloadState[]): MissActions | null {
  const plans = caches.flatMap(({ plan }) => (plan === null ? [] : [plan]));
  if (miss === undefined || plans.length === 0) return null;
  const sum = (pick: (plan: (typeof plans)[number]) => number) => plans.reduce((total, plan) => total + pick(plan), 0);
  const taken = (Object.keys(missActions) as MissAction[]).flatMap((action) => {
    const at = missActions[action];
    const experts = sum(({ counts }) => counts.experts[at]!);
    return experts === 0 ? [] : [{ action, experts, pairs: sum(({ counts }) => counts.pairs[at]!) }];
  });
  const mass = sum((plan) => plan.mass);
  const lossyMass = lossyActions.reduce(
    (total, action) => total + sum(({ counts }) => counts.mass[missActions[action]]!),
    0,
  );
  return {
    policy: miss.policy.name,
    pairs: sum((plan) => plan.pairs),
    taken,
    lossyMass: mass === 0 ? null : lossyMass / mass,
  };
}
