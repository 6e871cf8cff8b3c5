import type { Problem } from "../../core/errors.ts";
import { arrayProblems } from "../array-problems.ts";
import { byMilp, type MilpForm } from "../by-milp.ts";
import { MilpBuilder } from "../milp-builder.ts";
import type { Optimisation } from "../solver.ts";

/**
 * Shares of profiles, none below 0 and together 1, whose mixture is nearest to what was observed by the sum of absolute
 * differences. Feasible whatever is observed: what no mixture explains is the difference.
 */
export interface MixtureProblem {
  readonly entries: number;
  /** Each [entries]. */
  readonly profiles: readonly Float64Array[];
  /** [entries] */
  readonly observed: Float64Array;
  /** Weight of each entry's difference; absent: 1. */
  readonly entryWeights?: Float64Array;
}

/** [profiles] */
export type Shares = Float64Array;

function mixtureProblems({ entries, profiles, observed, entryWeights }: MixtureProblem): Problem[] {
  const problems: Problem[] = [];
  if (profiles.length === 0) problems.push({ at: "profiles", expected: "one or more", found: 0 });
  const vectors: (readonly [string, Float64Array])[] = [
    ...profiles.map((of, i) => [`profiles[${i}]`, of] as const),
    ["observed", observed] as const,
  ];
  if (entryWeights !== undefined) vectors.push(["entryWeights", entryWeights]);
  for (const [at, of] of vectors) problems.push(...arrayProblems(at, of, entries));
  return problems;
}

/** Sum of the differences between what was observed and a mixture. */
function difference({ entries, profiles, observed, entryWeights }: MixtureProblem, shares: Shares): number {
  let sum = 0;
  for (let entry = 0; entry < entries; entry++) {
    let mixed = 0;
    for (let profile = 0; profile < profiles.length; profile++) mixed += shares[profile]! * profiles[profile]![entry]!;
    sum += (entryWeights?.[entry] ?? 1) * Math.abs(observed[entry]! - mixed);
  }
  return sum;
}

/** Columns: shares, then for each entry how far the mixture is below and above what was observed. */
const form: MilpForm<MixtureProblem, Shares> = {
  milp({ entries, profiles, observed, entryWeights }) {
    const program = new MilpBuilder();
    const shares = profiles.map(() => program.real(0, 0, Infinity));
    program.rowOf(
      1,
      1,
      shares.map((share) => [share, 1] as const),
    );
    for (let entry = 0; entry < entries; entry++) {
      const weight = entryWeights?.[entry] ?? 1;
      const [below, above] = [program.real(weight, 0, Infinity), program.real(weight, 0, Infinity)];
      const mixed = shares.map((share, i) => [share, profiles[i]![entry]!] as const).filter(([, value]) => value !== 0);
      const at = observed[entry]!;
      program.rowOf(at, at, [...mixed, [below, 1], [above, -1]]);
    }
    return program.build();
  },
  // Rounding of the solver leaves a share a little below 0, or the sum beside 1.
  solution: ({ profiles }, values) => {
    const shares = values.slice(0, profiles.length).map((share) => Math.max(0, share));
    const sum = shares.reduce((total, share) => total + share, 0);
    return shares.map((share) => share / sum);
  },
};

/** Mixture inference (after arXiv 2407.16607, whose linear program it is on counts of experts): see {@link MixtureProblem}. */
export const mixture: Optimisation<MixtureProblem, Shares> = {
  name: "mixture",
  solvers: {
    highs: byMilp("highs", "HiGHS on the linear program. Exact.", form),
    glpk: byMilp("glpk", "GLPK on the linear program. Exact.", form),
  },
  preferred: () => "highs",
  problems: mixtureProblems,
  objective: difference,
  violation({ profiles }, shares) {
    const sum = shares.reduce((total, share) => total + share, 0);
    const right = shares.length === profiles.length && shares.every((share) => share >= 0) && Math.abs(sum - 1) < 1e-9;
    return right ? null : `shares ${[...shares].join(", ")}`;
  },
  lowerBound: () => 0,
};
