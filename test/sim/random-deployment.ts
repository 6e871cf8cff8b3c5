import fc from "fast-check";
import { routers } from "../../src/policy/router/routers.ts";
import type { HandoverConfig, PoolConfig, PoolRole, SimConfig } from "../../src/sim/config.ts";
import { configOf, type Scenario, scenario } from "./random-config.ts";

const routerNames = Object.keys(routers) as (keyof typeof routers)[];
const layouts: readonly (readonly PoolRole[])[] = [
  ["both"],
  ["both"],
  ["both", "both"],
  ["prefill", "decode"],
  ["prefill", "decode"],
  ["decode", "prefill"],
  ["prefill", "prefill", "decode"],
  ["prefill", "decode", "decode", "prefill"],
  ["both", "prefill", "decode"],
];

/** One random deployment or several of one model, as pools that do all, prefill or decode, in one or many of each role. */
export const deployment = fc.record({
  first: scenario,
  others: fc.tuple(scenario, scenario, scenario),
  roles: fc.constantFrom(...layouts),
  /** Whether all pools are as the first one is. */
  alike: fc.boolean(),
  stopAfter: fc.integer({ min: 0, max: 60 }),
  transfer: fc.constantFrom("request" as const, "chunk" as const, "layers" as const),
  before: fc.boolean(),
  firstToken: fc.constantFrom("prefill" as const, "handover" as const, "decodeStep" as const),
  reservedOutputTokens: fc.constantFrom(0, 20, 1000, "all" as const),
  tokenisesAgain: fc.boolean(),
  localPromptTokens: fc.constantFrom(0, 0, 50),
  router: fc.constantFrom(...routerNames),
});
export type RandomDeployment = typeof deployment extends fc.Arbitrary<infer T> ? T : never;

/** What only the whole deployment has, taken off a configuration. */
export function poolOf(config: SimConfig): PoolConfig {
  const { seed: _seed, workload: _workload, warmupRequests: _warmup, otherPools: _others, ...pool } = config;
  const { handover: _handover, ...rest } = pool;
  return rest;
}

export function deploymentConfig(drawn: RandomDeployment): SimConfig {
  const { roles } = drawn;
  const config = configOf(drawn.first);
  if (roles.length === 1) return config;
  const { seed, n, gap, stack, visits, prefix, closed, warmup } = drawn.first;
  const shared: Partial<Scenario> = { seed, n, gap, stack, visits, prefix, closed, warmup };
  const others = drawn.alike ? drawn.others.map(() => drawn.first) : drawn.others;
  const pools = [drawn.first, ...others].slice(0, roles.length).map(
    (own, i): PoolConfig => ({
      ...poolOf(configOf({ ...own, ...shared })),
      name: `pool ${i}`,
      role: roles[i]!,
    }),
  );
  const handover: HandoverConfig = {
    reserves: drawn.before ? "beforePrefill" : "afterPrefill",
    // Without room there is nowhere to send parts to.
    transfer: drawn.before ? drawn.transfer : "request",
    firstToken: drawn.firstToken,
    reservedOutputTokens: drawn.reservedOutputTokens,
    tokenisesAgain: drawn.tokenisesAgain,
    localPromptTokens: drawn.localPromptTokens,
    router: routers[drawn.router],
  };
  return {
    ...config,
    ...pools[0]!,
    otherPools: pools.slice(1),
    ...(roles.includes("prefill") ? { handover } : {}),
  };
}
