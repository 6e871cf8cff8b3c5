import fc from "fast-check";
import { InfeasibleError } from "../../src/core/errors.ts";
import { poolsOf } from "../../src/sim/config.ts";
import { mappingProblems } from "../../src/sim/mapping.ts";
import type { MetamorphicLaw } from "./metamorphic-laws.ts";
import { deployment, deploymentConfig } from "./random-deployment.ts";
import { watched } from "./random-laws.ts";

/** Holds `runs` random deployments, that a law speaks of, against it. */
export function runLaw({ check }: MetamorphicLaw, runs: number, seed: number): void {
  fc.assert(
    fc.property(deployment, (drawn) => {
      const pools = poolsOf(deploymentConfig(drawn));
      fc.pre(pools.every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        fc.pre(watched(() => check(drawn)));
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
        fc.pre(false);
      }
    }),
    { numRuns: runs, seed, maxSkipsPerRun: 10_000 },
  );
}
