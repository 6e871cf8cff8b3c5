import { sum } from "../../core/statistics.ts";
import { giveWay } from "../../files/cooperative.ts";
import { figuresOf } from "../../forecast/figures-of.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import type { ResolvedRouting } from "../../resolve/resolve-routing.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { poolsOf, type Workload } from "../../sim/config.ts";
import { devicesOf } from "../../sim/mapping.ts";
import { type RunResult, requestStatus } from "../../sim/result.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import { judgeDay } from "./day-goal.ts";
import { dayHours, devicesOver, worstHour } from "./day-hours.ts";
import type { DayCandidate, DayGoal, DayPool } from "./day-plan.ts";

const nsPerHour = 3600e9;

/** What the runs of a day have in common. */
export interface DaySetting {
  /** With the traffic of the day. */
  readonly scenario: Scenario;
  readonly goal: DayGoal;
  /** Length of an hour of the plan, ns. */
  readonly hourNs: number;
  /** The requests and routing of the scenario, read once; absent: each run reads them. */
  readonly read?: { readonly workload: Workload; readonly routed: ResolvedRouting };
}

/** A fleet to run through the day: a name, and settings over the scenario. */
export type DayJob = Pick<DayCandidate, "name" | "set" | "kind">;

export interface DayDeps extends Surroundings {
  readonly signal?: AbortSignal;
}

/** What a job came to: figures, and the run that they are made of. */
export interface DayRun {
  readonly candidate: DayCandidate;
  readonly resolved: ResolvedScenario;
  readonly run: RunResult;
}

/**
 * Runs a fleet through the day. Every request counts, where the scenario states no warm-up. Jobs know nothing of one another.
 * @returns null where the signal ended it
 * @throws InvalidInputError, InfeasibleError as a forecast does
 */
export async function runDayCandidate(setting: DaySetting, job: DayJob, deps: DayDeps): Promise<DayRun | null> {
  const { goal, hourNs, read } = setting;
  const scenario = setting.scenario.vary([...job.set]);
  const resolved = await resolveScenario(scenario, deps, read?.workload ?? null, deps.signal, read?.routed);
  const { config } = resolved;
  const run = await simulateCooperatively(scenario.warmup === undefined ? { ...config, warmupRequests: 0 } : config, {
    giveWay,
    ...(deps.signal === undefined ? {} : { shouldStop: () => deps.signal!.aborted }),
  });
  if (run.interrupted) return null;
  return { candidate: candidateOf(scenario, job, goal, hourNs, resolved, run), resolved, run };
}

function candidateOf(
  scenario: Scenario,
  { name, set, kind }: DayJob,
  goal: DayGoal,
  hourNs: number,
  resolved: ResolvedScenario,
  run: RunResult,
): DayCandidate {
  const limits = scenario.slo?.perRequest ?? null;
  const { figures } = figuresOf(resolved, run, limits);
  const pools = dayPools(resolved, run);
  const configs = poolsOf(resolved.config);
  const devices = configs.map(({ mapping, replicas }, i) =>
    devicesOver(run.pools[i]!.scaling?.changes ?? null, replicas, devicesOf(mapping)),
  );
  const hours = dayHours(run, devices, goal.limits, hourNs);
  const requests = sum(hours.map((hour) => hour.requests));
  const misses = sum(hours.map((hour) => hour.misses));
  const priced = pools.every(({ usd }) => usd !== null);
  const judged = { run, figures, limits, noCost: "no price: set cost.usdPerDeviceHour" };
  return {
    name,
    set,
    kind,
    ...judgeDay(scenario, goal, judged, { requests, misses }),
    requests,
    misses,
    rejected: run.requests.status.reduce((count, fate) => count + (fate === requestStatus.rejected ? 1 : 0), 0),
    hours,
    worstHour: worstHour(hours),
    pools,
    deviceHours: sum(pools.map((pool) => pool.devicesPerReplica * hoursOn(pool))),
    usd: priced ? sum(pools.map(({ usd }) => usd!)) : null,
    joules: figures.energy === null ? null : figures.energy.averageW * (run.endNs / 1e9),
    spanS: run.endNs / 1e9,
  };
}

const hoursOn = ({ replicaHours }: Pick<DayPool, "replicaHours">): number => sum(Object.values(replicaHours));

function dayPools(resolved: ResolvedScenario, { pools, endNs }: RunResult): DayPool[] {
  const prices = [resolved.price, ...(resolved.otherPools ?? []).map(({ price }) => price)];
  return poolsOf(resolved.config).map(({ mapping, node, replicas, scaling }, i) => {
    const { name, stateNs, scaling: scaled } = pools[i]!;
    const devicesPerReplica = devicesOf(mapping);
    const replicaHours = {
      starting: stateNs.starting / nsPerHour,
      serving: stateNs.serving / nsPerHour,
      draining: stateNs.draining / nsPerHour,
    };
    const price = prices[i]!;
    const changes = scaled?.changes ?? [{ atNs: 0, starting: 0, serving: replicas, draining: 0 }];
    return {
      name,
      device: node.device.name,
      devicesPerReplica,
      policy: scaling?.policy.name ?? null,
      starts: scaled?.starts ?? 0,
      mostUp: scaled?.mostUp ?? replicas,
      replicaHours,
      usd: price === null ? null : price.usdPerDeviceHour * devicesPerReplica * hoursOn({ replicaHours }),
      replicas: changes
        .filter(({ atNs }) => atNs <= endNs)
        .map(({ atNs, ...counts }) => ({ atS: atNs / 1e9, ...counts })),
    };
  });
}
