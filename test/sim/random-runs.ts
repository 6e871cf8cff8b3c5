import fc from "fast-check";
import { expect } from "vitest";
import { InfeasibleError } from "../../src/core/errors.ts";
import { poolsOf } from "../../src/sim/config.ts";
import { mappingProblems } from "../../src/sim/mapping.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { deployment, deploymentConfig } from "./random-deployment.ts";
import { bytesOf, judge, judgeStopped, watched } from "./random-laws.ts";

export interface RandomRuns {
  ran: number;
  infeasible: number;
  handedOver: number;
}

/** Runs random deployments, each to its end twice and once up to some step. */
export function runRandom(runs: number, seed: number): RandomRuns {
  const counts: RandomRuns = { ran: 0, infeasible: 0, handedOver: 0 };
  fc.assert(
    fc.property(deployment, (drawn) => {
      const config = deploymentConfig(drawn);
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        watched(() => {
          const result = simulate(config);
          judge(config, result);
          judgeStopped(config, drawn.stopAfter);
          expect(bytesOf(simulate(config))).toBe(bytesOf(result));
          counts.ran++;
          counts.handedOver += [...(result.handover?.arrivedNs ?? [])].filter((ns) => !Number.isNaN(ns)).length;
        });
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
        counts.infeasible++;
      }
    }),
    { numRuns: runs, seed },
  );
  return counts;
}
