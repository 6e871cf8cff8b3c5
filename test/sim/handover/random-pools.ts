import fc from "fast-check";
import { routers } from "../../../src/policy/router/routers.ts";
import type { HandoverConfig, PoolConfig, PoolRole, SimConfig } from "../../../src/sim/config.ts";
import { configOf, type Scenario, scenario } from "../random-config.ts";

/** Two random deployments of one model, as pools of one: a pool that prefills and one that decodes, or two that do both. */
export const randomPools = fc.record({
  first: scenario,
  second: scenario,
  apart: fc.boolean(),
  stopAfter: fc.integer({ min: 1, max: 60 }),
  transfer: fc.constantFrom("request" as const, "chunk" as const, "layers" as const),
  before: fc.boolean(),
  firstToken: fc.constantFrom("prefill" as const, "handover" as const, "decodeStep" as const),
  reservedOutputTokens: fc.constantFrom(0, 20, 1000, "all" as const),
  tokenisesAgain: fc.boolean(),
  localPromptTokens: fc.constantFrom(0, 0, 50),
  router: fc.constantFrom(...(Object.keys(routers) as (keyof typeof routers)[])),
});
type RandomPools = typeof randomPools extends fc.Arbitrary<infer T> ? T : never;

export function poolsConfig(drawn: RandomPools): SimConfig {
  const config = configOf(drawn.first);
  const { seed, n, gap, stack, prefix, closed, warmup } = drawn.first;
  const shared: Partial<Scenario> = { seed, n, gap, stack, prefix, closed, warmup };
  const {
    seed: _seed,
    workload: _workload,
    warmupRequests: _warmup,
    ...other
  } = configOf({ ...drawn.second, ...shared });
  const handover: HandoverConfig = {
    reserves: drawn.before ? "beforePrefill" : "afterPrefill",
    transfer: drawn.transfer,
    firstToken: drawn.firstToken,
    reservedOutputTokens: drawn.reservedOutputTokens,
    tokenisesAgain: drawn.tokenisesAgain,
    localPromptTokens: drawn.localPromptTokens,
    router: routers[drawn.router],
  };
  const pool = (name: string, role: PoolRole, parts: PoolConfig): PoolConfig => ({
    ...parts,
    name,
    ...(drawn.apart ? { role } : {}),
  });
  return {
    ...config,
    ...pool("first", "prefill", config),
    otherPools: [pool("second", "decode", other)],
    ...(drawn.apart ? { handover } : {}),
  };
}
