import fc from "fast-check";
import { expect } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { type PoolConfig, poolsOf, type ScalingConfig, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { type RunResult, requestStatus } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { poolsConfig, randomPools } from "../handover/random-pools.ts";
import { configOf, scenario } from "../random-config.ts";
import { scalingBy, scalingOf } from "./scaled.ts";

const drawnScaling = fc.record({
  atStart: fc.integer({ min: 1, max: 3 }),
  min: fc.integer({ min: 1, max: 3 }),
  most: fc.integer({ min: 1, max: 4 }),
  everyNs: fc.constantFrom(100_000, 700_000, 5_000_000),
  startupNs: fc.constantFrom(0, 1, 700_000, 30_000_000),
  kind: fc.constantFrom("random" as const, "load" as const, "schedule" as const),
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
    if (c.kind === "schedule") {
      const steps = Array.from({ length: 4 }, (_, i) => ({ at: i * 1_300_000, replicas: 1 + ((c.seed >> i) % 4) }));
      return scalingOf("schedule", { steps, repeat: 5_000_000 }, parts);
    }
    const rng = new RandomStream(c.seed, "scaling");
    return scalingBy(() => rng.below(replicas + 2), parts);
  };
  return { ...pool, replicas, scaling: scaling() };
}

function judge(config: () => SimConfig): void {
  const result = simulate(config());
  const { requests, pools, endNs } = result;
  for (let i = 0; i < requests.count; i++)
    expect([requestStatus.completed, requestStatus.rejected]).toContain(requests.status[i]);
  for (const { stateNs, replicaOnNs, replicaBusyNs } of pools) {
    expect(Object.values(stateNs).reduce((sum, ns) => sum + ns, 0)).toBe(replicaBusyNs.length * endNs);
    expect(replicaOnNs.reduce((sum, ns) => sum + ns, 0)).toBe(replicaBusyNs.length * endNs - stateNs.off);
  }
  const figures = ({ requests: rows, endNs: end, time, pools: each }: RunResult) => ({ rows, end, time, each });
  expect(figures(simulate(config()))).toEqual(figures(result));
  const stopped = new Simulation(config());
  stopped.advance(5);
  expect(stopped.result(true).interrupted).toBe(true);
}

/** Judges a configuration; whether it had room. */
function ran(config: () => SimConfig): boolean {
  try {
    judge(config);
    return true;
  } catch (error) {
    // Too little memory is an answer.
    if (!(error instanceof InfeasibleError)) throw error;
    return false;
  }
}

/** Random deployments whose replicas come and go; returns how many had room. */
export function runScaled(numRuns: number, seed: number): number {
  let count = 0;
  fc.assert(
    fc.property(scenario, drawnScaling, (c, scaling) => {
      fc.pre(mappingProblems(configOf(c).mapping, configOf(c).model).length === 0);
      if (ran(() => scaled(configOf(c), scaling))) count++;
    }),
    { numRuns, seed },
  );
  return count;
}

/** Random pools, each scaled by itself; returns how many had room. */
export function runScaledPools(numRuns: number, seed: number): number {
  let count = 0;
  fc.assert(
    fc.property(randomPools, drawnScaling, drawnScaling, (drawn, first, second) => {
      const config = (): SimConfig => {
        const { otherPools = [], ...whole } = poolsConfig(drawn);
        return { ...scaled(whole, first), otherPools: otherPools.map((pool) => scaled(pool, second)) };
      };
      fc.pre(poolsOf(config()).every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      if (ran(config)) count++;
    }),
    { numRuns, seed },
  );
  return count;
}
