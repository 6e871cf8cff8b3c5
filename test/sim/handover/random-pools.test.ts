import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { poolsOf } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { poolsConfig, randomPools } from "./random-pools.ts";

test("pools of every kind complete every request or reject it, and hand over every prompt whole", () => {
  let ran = 0;
  let handedOver = 0;
  fc.assert(
    fc.property(randomPools, (drawn) => {
      const config = poolsConfig(drawn);
      fc.pre(poolsOf(config).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        const { requests, outputTokens, itl, handover, pools, time, replicaBusyNs } = simulate(config);
        ran++;
        const stopped = new Simulation(config);
        stopped.advance(drawn.stopAfter);
        expect(stopped.result(true).interrupted).toBe(true);
        let emitted = 0;
        let gaps = 0;
        for (let i = 0; i < requests.count; i++) {
          const done = requests.status[i] === requestStatus.completed;
          expect(done || requests.status[i] === requestStatus.rejected).toBe(true);
          if (!done) continue;
          emitted += requests.outputTokens[i]!;
          if (i >= config.warmupRequests) gaps += requests.outputTokens[i]! - 1;
          if (handover !== null && !Number.isNaN(handover.arrivedNs[i]!)) handedOver++;
        }
        expect(outputTokens).toBe(emitted);
        expect(itl.count).toBe(gaps);
        expect(pools.flatMap((pool) => pool.replicaBusyNs)).toEqual(replicaBusyNs);
        for (const [name, ns] of Object.entries(time))
          expect(ns).toBe(pools.reduce((sum, pool) => sum + pool.time[name as keyof typeof time], 0));
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: 25, seed: 5 },
  );
  expect(ran).toBeGreaterThan(10);
  expect(handedOver).toBeGreaterThan(30);
});
