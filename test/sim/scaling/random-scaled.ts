import fc from "fast-check";
import { expect } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { type PoolConfig, poolsOf, type ScalingConfig, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { deployment, deploymentConfig } from "../random-deployment.ts";
import { bytesOf, judge, judgeStopped, watched } from "../random-laws.ts";
import { judgeChanges, scalingBy, scalingOf } from "./scaled.ts";

const drawnScaling = fc.record({
  atStart: fc.integer({ min: 1, max: 3 }),
  min: fc.integer({ min: 1, max: 3 }),
  most: fc.integer({ min: 1, max: 4 }),
  everyNs: fc.constantFrom(100_000, 700_000, 5_000_000),
  startupNs: fc.constantFrom(0, 1, 700_000, 30_000_000),
  kind: fc.constantFrom(
    "random" as const,
    "load" as const,
    "schedule" as const,
    "slo-margin" as const,
    "predictive" as const,
  ),
  measure: fc.constantFrom("requests", "waiting", "tokens", "kv", "busy"),
  target: fc.constantFrom(0.1, 1, 3, 500),
  stabilisation: fc.constantFrom(0, 2_000_000),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

/** The pool with scaling laid over it. A policy has a state: each run needs a config of its own. */
function scaled<T extends PoolConfig>(pool: T, c: typeof drawnScaling extends fc.Arbitrary<infer S> ? S : never): T {
  const replicas = Math.max(c.most, c.min, c.atStart);
  const parts = { atStart: Math.max(c.atStart, c.min), min: c.min, everyNs: c.everyNs, startupNs: c.startupNs };
  const scaling = (): ScalingConfig => {
    if (c.kind === "load")
      return scalingOf(
        "load",
        { measure: c.measure, target: c.target, tolerance: 0.1, stabilisation: c.stabilisation },
        parts,
      );
    if (c.kind === "slo-margin")
      return scalingOf(
        "slo-margin",
        {
          ttft: c.target * 1e6,
          tpot: c.target * 1e5,
          percentile: 90,
          window: 3e6,
          up: 0.55,
          down: 0.4,
          stabilisation: c.stabilisation,
          downEvery: c.stabilisation,
        },
        parts,
      );
    if (c.kind === "predictive")
      return scalingOf(
        "predictive",
        {
          target: 0.8,
          level: 0.2,
          trend: 0.1,
          stabilisation: c.stabilisation,
          ...(c.seed % 2 === 0 ? { capacity: c.target * 1e5 } : {}),
          ...(c.seed % 3 === 0 ? { season: 5_000_000 } : {}),
        },
        parts,
      );
    if (c.kind === "schedule") {
      const steps = Array.from({ length: 4 }, (_, i) => ({ at: i * 1_300_000, replicas: 1 + ((c.seed >> i) % 4) }));
      return scalingOf("schedule", { steps, repeat: 5_000_000 }, parts);
    }
    const rng = new RandomStream(c.seed, "scaling");
    return scalingBy(() => rng.below(replicas + 2), parts);
  };
  return { ...pool, replicas, scaling: scaling() };
}

/**
 * Runs random deployments whose pools are each scaled by itself, to the end twice and once up to some step; returns how
 * many had room.
 */
export function runScaled(numRuns: number, seed: number): number {
  let ran = 0;
  fc.assert(
    fc.property(deployment, fc.array(drawnScaling, { minLength: 4, maxLength: 4 }), (drawn, scalings) => {
      const config = (): SimConfig => {
        const { otherPools, ...whole } = deploymentConfig(drawn);
        const first = scaled(whole, scalings[0]!);
        return otherPools === undefined
          ? first
          : { ...first, otherPools: otherPools.map((pool, i) => scaled(pool, scalings[i + 1]!)) };
      };
      fc.pre(poolsOf(config()).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      try {
        watched(() => {
          const result = simulate(config());
          judge(config(), result);
          for (const { stateNs, replicaOnNs, replicaBusyNs, scaling } of result.pools) {
            judgeChanges({ scaling, stateNs }, result.endNs);
            const whole = replicaBusyNs.length * result.endNs;
            expect(Object.values(stateNs).reduce((sum, ns) => sum + ns, 0)).toBe(whole);
            expect(replicaOnNs.reduce((sum, ns) => sum + ns, 0)).toBe(whole - stateNs.off);
          }
          expect(bytesOf(simulate(config()))).toBe(bytesOf(result));
          judgeStopped(config(), drawn.stopAfter);
          ran++;
        });
      } catch (error) {
        // Too little memory is an answer.
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns, seed },
  );
  return ran;
}
