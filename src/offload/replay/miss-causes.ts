/** Shares of the accesses that miss, by what would have avoided them. */
export interface MissCauses {
  /** First uses: no cache that starts empty avoids them. */
  readonly cold: number;
  /** Missed by Belady's optimum too: more slots avoid them, or other tokens. */
  readonly capacity: number;
  /** Missed by the policy and not by the optimum: what a better policy avoids at most. Negative for a set loaded beforehand. */
  readonly policy: number;
}

export function missCauses(of: {
  readonly accesses: number;
  readonly coldMisses: number;
  readonly optimumHits: number;
  readonly policyHits: number;
}): MissCauses {
  const { accesses, coldMisses, optimumHits, policyHits } = of;
  if (accesses === 0) return { cold: 0, capacity: 0, policy: 0 };
  return {
    cold: coldMisses / accesses,
    capacity: (accesses - optimumHits - coldMisses) / accesses,
    policy: (optimumHits - policyHits) / accesses,
  };
}

/** Where the misses come from. */
export type MissVerdict = "policy" | "working set" | "both" | "hardly any";

/** Below this share of the accesses, misses are not worth a reason. */
const negligible = 0.02;
/** One cause stands out where it is so many times the other. */
const clearly = 1.5;

export function missVerdict({ capacity, policy }: MissCauses): MissVerdict {
  if (capacity + policy < negligible) return "hardly any";
  if (policy >= clearly * capacity) return "policy";
  if (capacity >= clearly * policy) return "working set";
  return "both";
}
