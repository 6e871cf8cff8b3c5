import fc from "fast-check";
import { expect } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { poolsOf } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { bytesOf, judge, judgeStopped, watched } from "../random-laws.ts";
import { inTurn, inTurnConfig } from "./random-in-turn.ts";

/** Runs random models in turn, each to its end twice and once up to some step. */
export function runInTurn(runs: number, seed: number) {
  const counts = { ran: 0, infeasible: 0, loads: 0, preempted: 0 };
  fc.assert(
    fc.property(inTurn, (drawn) => {
      try {
        const config = inTurnConfig(drawn);
        fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
        watched(() => {
          const result = simulate(config);
          judge(config, result);
          judgeStopped(config, drawn.stopAfter);
          expect(bytesOf(simulate(config))).toBe(bytesOf(result));
          const { found, missed, loads, evictions, stallNs, loadNs } = result.modelCache!;
          const rejected = result.requests.status.filter((status) => status === requestStatus.rejected).length;
          expect(found + missed).toBe(result.requests.count - rejected);
          expect(evictions).toBeLessThanOrEqual(loads);
          const busyNs = result.replicaBusyNs.reduce((sum, ns) => sum + ns, 0);
          expect(busyNs + stallNs).toBeLessThanOrEqual(result.endNs + result.steps);
          expect(loadNs).toBeLessThanOrEqual(result.endNs + 1);
          counts.ran++;
          counts.loads += loads;
          counts.preempted += result.kv.preemptions;
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
