import { formatPercent } from "../../core/units.ts";
import type { MissVerdict } from "./comparison.ts";

/** A gap below this is not worth closing. */
const smallGap = 0.03;

/**
 * Policy or working set: what a better policy could add is the gap to the optimum on the same accesses; what no policy of this
 * size can hold is the gap from there to all hits. The larger of them is the cause; both, where neither is twice the other.
 */
export function missVerdict(policy: number, optimum: number, bestFixedSet: number): MissVerdict {
  const byPolicy = Math.max(0, optimum - policy);
  const bySize = 1 - optimum;
  const cause =
    byPolicy < smallGap && bySize < smallGap
      ? "neither"
      : byPolicy >= 2 * bySize
        ? "policy"
        : bySize >= 2 * byPolicy
          ? "working set"
          : "both";
  return { policy, optimum, bestFixedSet, cause };
}

/** The verdict in a sentence. */
export function verdictText({ policy, optimum, cause }: MissVerdict): string {
  const share = (value: number) => formatPercent(value, 1);
  const figures = `${share(policy)} hit, the best any policy could do with these slots is ${share(optimum)}`;
  const words = {
    policy: "misses come from the policy: another one could hit more with the same slots",
    "working set": "misses come from the working set: only more slots, or fewer experts in use, help",
    both: "misses come from the policy and from the working set alike",
    neither: "nearly everything hits",
  } as const;
  return `${words[cause]} (${figures})`;
}
