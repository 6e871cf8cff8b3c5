import { formatPercent } from "../../core/units.ts";
import type { RequestLimits } from "../../metrics/goodput.ts";
import type { ScalingName } from "../../policy/scaling/scalings.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { poolsOf, type SimConfig } from "../../sim/config.ts";
import { type FleetKey, fleetKeys, type PoolTiming, withReplicas } from "./fleet-keys.ts";
import type { PoolLoad } from "./fleet-load.ts";
import type { DayJob } from "./run-day-candidate.ts";

/** What default candidates are made of: the fewest static replicas, and what they had to do. */
export interface CandidateBasis {
  readonly scenario: Scenario;
  /** Of the static fleet. */
  readonly config: SimConfig;
  readonly loads: readonly PoolLoad[];
  readonly timings: readonly PoolTiming[];
  readonly limits: RequestLimits;
  readonly hourNs: number;
  /** Length of a window of the loads. */
  readonly windowNs: number;
  /** Shares of what a static replica bears at its busiest that a scaled one is to be given. */
  readonly shares: readonly number[];
}

/** Keys of a policy, and how its target follows from what a static replica bears; null where it cannot be used. */
type Rule = (load: PoolLoad, share: number, basis: CandidateBasis, pool: number) => object | null;

/** The band of `slo-margin` by default: its lower end over its upper one. */
const bandShare = 0.4 / 0.55;

/** Replicas beyond those of a static fleet that a scaled one may have, to work off what came while they started. */
const mostShare = 1.5;

const perReplica = (load: PoolLoad, amount: number): number => amount / load.replicas;

/** Candidates by name: a policy of the table each, set from the static fleet. */
const rules: Readonly<Record<string, { readonly kind: ScalingName; readonly rule: Rule; readonly foresight?: true }>> =
  {
    "load, requests": {
      kind: "load",
      rule: (load, share) => {
        const target = share * perReplica(load, load.peakRequests);
        return target > 0 ? { measure: "requests", target } : null;
      },
    },
    "load, waiting": {
      kind: "load",
      rule: (load, share) => ({ measure: "waiting", target: share * Math.max(1, perReplica(load, load.peakWaiting)) }),
    },
    "load, kv": {
      kind: "load",
      rule: ({ peakKvUse }, share) =>
        peakKvUse > 0 ? { measure: "kv", target: share * Math.min(1, peakKvUse) } : null,
    },
    "slo-margin": {
      kind: "slo-margin",
      rule: (_load, share, { limits, config }, pool) => {
        const { role } = poolsOf(config)[pool]!;
        const own = {
          ...(limits.ttft === undefined || role === "decode" ? {} : { ttft: `${limits.ttft}ns` }),
          ...(limits.tpot === undefined || role === "prefill" ? {} : { tpot: `${limits.tpot}ns` }),
        };
        return Object.keys(own).length === 0 ? null : { ...own, up: share, down: share * bandShare };
      },
    },
    predictive: {
      kind: "predictive",
      rule: (load, share) => {
        const capacity = perReplica(load, load.peakTokensPerSecond);
        return capacity > 0 ? { capacity, target: share } : null;
      },
    },
    "schedule by the hour": {
      kind: "schedule",
      foresight: true,
      rule: (load, share, { hourNs, windowNs }) => ({ steps: stepsOf(load, share, hourNs, windowNs) }),
    },
  };

/** Policies that default candidates have at each share. */
export const policiesTried = Object.keys(rules).length;

/**
 * Every policy of the table at every share, each pool set from its own part of the static fleet. All begin with the replicas that
 * the first window asks for, and may have half as many again as the static fleet.
 */
export function defaultCandidates(basis: CandidateBasis): DayJob[] {
  const { scenario, loads, shares } = basis;
  const sections = fleetKeys(scenario, "policy");
  const begin = withReplicas(
    scenario,
    fleetKeys(scenario, "parallel").map(({ pools }) => Math.max(...pools.map((pool) => startOf(loads[pool]!)))),
  );
  return Object.entries(rules).flatMap(([name, { kind, rule, foresight }]) =>
    shares.flatMap((share): DayJob[] => {
      const set = sections.map((section) => scalingOf(section, kind, rule, share, basis));
      if (set.some((each) => each === null)) return [];
      return [
        {
          name: `${name} at ${formatPercent(share, 0)}`,
          kind: foresight === true ? "foresight" : "scaled",
          set: [...begin, ...set.map((each) => each!)],
        },
      ];
    }),
  );
}

/** The setting of a section's policy: that of the pool which asks for most, as all pools of a section have one policy. */
function scalingOf({ at, pools }: FleetKey, kind: ScalingName, rule: Rule, share: number, basis: CandidateBasis) {
  const busiest = pools.reduce((a, b) => (basis.loads[b]!.replicas > basis.loads[a]!.replicas ? b : a));
  const load = basis.loads[busiest]!;
  const own = rule(load, share, basis, busiest);
  if (own === null) return null;
  const max = Math.max(...pools.map((pool) => mostOf(basis.loads[pool]!)));
  return `${at}.scaling=${JSON.stringify({ kind, ...own, max, ...basis.timings[busiest]!.stated })}`;
}

const mostOf = ({ replicas }: PoolLoad): number => Math.max(replicas + 1, Math.ceil(mostShare * replicas));

/** Replicas for a rate, as many as the static fleet has for its peak. */
const replicasFor = (load: PoolLoad, tokensPerSecond: number, share: number): number => {
  const needed = Math.ceil((load.replicas * tokensPerSecond) / (share * Math.max(load.peakTokensPerSecond, 1e-9)));
  return Math.max(1, Math.min(mostOf(load), needed));
};

const startOf = (load: PoolLoad): number => replicasFor(load, load.tokensPerSecond[0] ?? 0, 1);

/** Replicas of each hour, for its busiest window; an hour that needs more begins a window earlier. */
function stepsOf(load: PoolLoad, share: number, hourNs: number, windowNs: number) {
  const hours = Math.max(1, Math.ceil((load.tokensPerSecond.length * windowNs) / hourNs));
  const needed = Array.from({ length: hours }, (_, hour) => {
    const from = Math.floor((hour * hourNs) / windowNs);
    const to = Math.ceil(((hour + 1) * hourNs) / windowNs);
    const peak = load.tokensPerSecond.subarray(from, to).reduce((high, rate) => Math.max(high, rate), 0);
    return replicasFor(load, peak, share);
  });
  const steps: { at: string; replicas: number }[] = [];
  for (const [hour, replicas] of needed.entries()) {
    if (replicas === steps.at(-1)?.replicas) continue;
    const early = hour > 0 && replicas > needed[hour - 1]! ? Math.min(windowNs, hourNs / 2) : 0;
    steps.push({ at: `${Math.round(hour * hourNs - early)}ns`, replicas });
  }
  return steps;
}
