import fc from "fast-check";
import { expect, test } from "vitest";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { type PoolConfig, poolsOf, type SimConfig } from "../../../src/sim/config.ts";
import { mappingProblems } from "../../../src/sim/mapping.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { deployment, deploymentConfig } from "../random-deployment.ts";
import { bytesOf, judge, judgeStopped, watched } from "../random-laws.ts";
import { scalingBy } from "../scaling/scaled.ts";
import { judgePrefetch, prefetching } from "./prefetch-cases.ts";
import { type SentAhead, sendingAhead } from "./sent-ahead.ts";

test("experts sent ahead take what they take event by event, in 2,000 cases", { timeout: 300_000 }, () => {
  let late = 0;
  fc.assert(
    fc.property(prefetching, (p) => {
      if (judgePrefetch(p).late > 0) late++;
    }),
    { numRuns: 2000, seed: 15 },
  );
  expect(late).toBeGreaterThan(200);
});

const sentAhead = fc.record({
  distance: fc.integer({ min: 1, max: 3 }),
  chunks: fc.integer({ min: 1, max: 5 }),
  preempt: fc.boolean(),
  latencyNs: fc.constantFrom(0, 5000, 100_000),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test("random deployments, whose replicas may come and go, break no law and can be stopped", {
  timeout: 300_000,
}, () => {
  let ran = 0;
  fc.assert(
    fc.property(deployment, sentAhead, fc.boolean(), (drawn, ahead: SentAhead, scaled) => {
      const changed = <T extends PoolConfig>(pool: T): T => {
        const sending = sendingAhead(pool, ahead);
        if (!scaled) return sending;
        const draw = new RandomStream(ahead.seed, "scaling");
        return { ...sending, replicas: 3, scaling: scalingBy(() => draw.below(4), { startupNs: 700_000 }) };
      };
      const config = (): SimConfig => {
        const { otherPools, ...whole } = deploymentConfig(drawn);
        const first = changed(whole);
        return otherPools === undefined ? first : { ...first, otherPools: otherPools.map(changed) };
      };
      const pools = poolsOf(config());
      fc.pre(pools.every(({ mapping, model }) => mappingProblems(mapping, model).length === 0));
      fc.pre(pools.some(({ offload }) => offload?.prefetch !== undefined));
      try {
        watched(() => {
          const result = simulate(config());
          judge(config(), result);
          expect(bytesOf(simulate(config()))).toBe(bytesOf(result));
          judgeStopped(config(), drawn.stopAfter);
          ran++;
        });
      } catch (error) {
        if (!(error instanceof InfeasibleError)) throw error;
      }
    }),
    { numRuns: 200, seed: 12 },
  );
  expect(ran).toBeGreaterThan(100);
});
