import { startUpOf } from "../../resolve/resolve-scaling.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { poolsOf, type SimConfig } from "../../sim/config.ts";

/** Keys of a scenario that set its fleet. Pools without a section of their own share the scenario's. */
export interface FleetKey {
  /** The section, such as `policy` or `pools[1].policy`. */
  readonly at: string;
  /** Indices of the pools that go by it. */
  readonly pools: readonly number[];
}

/** The sections that hold one kind of key: one for each pool with a section of its own, and the scenario's for the rest. */
export function fleetKeys({ pools }: Pick<Scenario, "pools">, section: "parallel" | "policy"): FleetKey[] {
  if (pools === undefined) return [{ at: section, pools: [0] }];
  const own = pools.flatMap((pool, i) =>
    pool[section] === undefined ? [] : [{ at: `pools[${i}].${section}`, pools: [i] }],
  );
  const rest = pools.flatMap((pool, i) => (pool[section] === undefined ? [i] : []));
  return rest.length === 0 ? own : [...own, { at: section, pools: rest }];
}

type Scaling = Scenario["policy"]["scaling"];

/** The scaling policy that a pool states; undefined: none. */
const scalingIn = (scenario: Scenario, pool: number): Scaling =>
  (scenario.pools?.[pool]?.policy ?? scenario.policy).scaling;

/** How often the policy of a pool is asked, and how long its replicas take to start, ns. */
export interface PoolTiming {
  readonly everyNs: number;
  readonly startupNs: number;
  /** What the start is made of. */
  readonly how: string;
  /** Keys that the scenario states, for policies in place of its own. */
  readonly stated: { readonly every?: string; readonly startup?: string };
}

/** The default of `policy.scaling.every`. */
const usualEveryNs = 15e9;

/** [pools] the timing of each. */
export const poolTimings = (scenario: Scenario, config: SimConfig): PoolTiming[] =>
  poolsOf(config).map((pool, i) => {
    const scaling = scalingIn(scenario, i);
    const { ns, how } = startUpOf(pool, scaling?.startup);
    return {
      everyNs: scaling?.every ?? usualEveryNs,
      startupNs: ns,
      how,
      stated: {
        ...(scaling === undefined ? {} : { every: `${scaling.every}ns` }),
        ...(scaling?.startup === undefined ? {} : { startup: `${scaling.startup}ns` }),
      },
    };
  });

/** Settings without a scaling policy: all replicas run from start to end. */
export const withoutScaling = (scenario: Scenario): string[] =>
  scalingStated(scenario).map((at) => `${at}.scaling=null`);

/** Sections that state a scaling policy. */
export const scalingStated = (scenario: Scenario): string[] =>
  fleetKeys(scenario, "policy")
    .filter(({ pools }) => scalingIn(scenario, pools[0]!) !== undefined)
    .map(({ at }) => at);

/** Replicas that each section asks for, 1 where it says nothing. */
export const statedReplicas = (scenario: Scenario): number[] =>
  fleetKeys(scenario, "parallel").map(
    ({ pools }) => (scenario.pools?.[pools[0]!]?.parallel ?? scenario.parallel).replicas ?? 1,
  );

/** Settings of so many replicas, section by section. */
export const withReplicas = (scenario: Scenario, counts: readonly number[]): string[] =>
  fleetKeys(scenario, "parallel").map(({ at }, i) => `${at}.replicas=${counts[i]}`);
