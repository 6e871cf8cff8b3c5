import { InfeasibleError, refuse } from "../../core/errors.ts";
import { sum } from "../../core/statistics.ts";
import { version } from "../../core/version.ts";
import { giveWay } from "../../files/cooperative.ts";
import { isExpected, reasonOf } from "../../place/left-out.ts";
import { resolveScenario } from "../../resolve/resolve-scenario.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { poolsOf } from "../../sim/config.ts";
import type { RequestRows } from "../../sim/result.ts";
import { dayGoal } from "./day-goal.ts";
import type { DayCandidate, DayPlan, LeftOutCandidate, StaticFleet } from "./day-plan.ts";
import { dayVerdict } from "./day-verdict.ts";
import { defaultCandidates, policiesTried } from "./default-candidates.ts";
import { fewestReplicas } from "./fewest-replicas.ts";
import { fleetKeys, poolTimings, scalingStated, statedReplicas, withoutScaling, withReplicas } from "./fleet-keys.ts";
import { fleetLoad } from "./fleet-load.ts";
import { type DayDeps, type DayJob, type DayRun, type DaySetting, runDayCandidate } from "./run-day-candidate.ts";

export interface DayOptions {
  /** A request trace that takes the place of the scenario's traffic, by its path; absent: the traffic is the day. */
  readonly trace?: string;
  /** Length of an hour of the plan, ns. */
  readonly hourNs?: number;
  /** Share of the requests that meet `slo.perRequest` where no SLO says it. */
  readonly attainment?: number;
  /** Most replicas of a static fleet. */
  readonly mostReplicas?: number;
  /** Shares of what a static replica bears that default candidates are set to. */
  readonly shares?: readonly number[];
  /** Fleets in place of the default ones, by name. */
  readonly candidates?: readonly { readonly name: string; readonly set: readonly string[] }[];
}

export interface PlanDayDeps extends DayDeps {
  /** Runs done, of about so many. */
  readonly onProgress?: (done: number, total: number) => void;
}

const defaults = { hourNs: 3600e9, attainment: 0.99, mostReplicas: 256, shares: [1, 0.8, 0.6] } as const;

/** Runs that a search for static replicas takes, about: for a progress line. */
const searchRuns = 8;

/**
 * Runs fleets through a day of traffic: the fewest static replicas that keep the SLOs, the scenario's own scaling policy where it states
 * one, and each policy of the table set from what the static replicas bear. One run at a time is in memory.
 * @throws InvalidInputError for a scenario whose day cannot be planned, InfeasibleError where no static fleet keeps the SLOs, and the
 * reason of a signal that is aborted before one is found
 */
export async function planDay(scenario: Scenario, options: DayOptions, deps: PlanDayDeps): Promise<DayPlan> {
  const { hourNs, attainment, mostReplicas, shares } = { ...defaults, ...options };
  const day = dayOf(scenario, options.trace);
  const goal = dayGoal(day, attainment);
  const resolved = await resolveScenario(day, deps, null, deps.signal);
  refuseClosed(day, resolved.config.workload.kind);
  const { workload } = resolved.config;
  const setting: DaySetting = { scenario: day, goal, hourNs, read: { workload, routed: resolved.routed! } };
  let done = 0;
  let total = searchRuns + (options.candidates?.length ?? shares.length * policiesTried);
  const advance = () => deps.onProgress?.(++done, Math.max(done, total));

  const { best, fleet } = await staticFleet(setting, mostReplicas, deps, advance);
  const timings = poolTimings(day, best.resolved.config);
  const windowNs = Math.max(...timings.map(({ everyNs, startupNs }) => everyNs + startupNs));
  // With one replica everywhere there is none to do without.
  const least = fleet.replicas.every(({ count }) => count === 1);
  const jobs =
    options.candidates?.map((one): DayJob => ({ ...one, kind: "scaled" })) ??
    defaultCandidates({
      scenario: day,
      config: best.resolved.config,
      loads: fleetLoad(best.resolved.config, best.run, windowNs),
      timings,
      limits: goal.limits,
      hourNs,
      windowNs,
      shares: least ? [] : shares,
    });
  const own: DayJob[] =
    scalingStated(day).length === 0 ? [] : [{ name: "as the scenario states", kind: "scaled", set: [] }];
  const all = [...own, ...jobs];
  total = done + all.length;
  const candidates: DayCandidate[] = [best.candidate];
  const leftOut: LeftOutCandidate[] = [];
  for (const job of all) {
    if (deps.signal?.aborted === true) break;
    try {
      const ran = await runDayCandidate(setting, job, deps);
      if (ran === null) break;
      candidates.push(ran.candidate);
    } catch (error) {
      if (!isExpected(error)) throw error;
      leftOut.push({ name: job.name, reason: reasonOf(error) });
    }
    advance();
    await giveWay();
  }
  return {
    kind: "day-plan",
    schemaVersion: 1,
    moecastVersion: version,
    scenario: { name: scenario.name, description: scenario.description, file: scenario.file },
    model: resolved.config.model.name,
    seed: scenario.seed,
    inputs: resolved.inputs,
    hourS: hourNs / 1e9,
    goal,
    traffic: trafficByHour(best.run.requests, best.candidate.hours.length, hourNs),
    startUp: poolsOf(best.resolved.config).map(({ name = "" }, i) => ({
      pool: name,
      seconds: timings[i]!.startupNs / 1e9,
      how: timings[i]!.how,
    })),
    fleet,
    candidates,
    leftOut,
    verdict: dayVerdict(candidates, fleet),
    interrupted: deps.signal?.aborted === true,
  };
}

/** The scenario with a trace as its traffic. */
function dayOf(scenario: Scenario, trace: string | undefined): Scenario {
  if (scenario.modelCache !== undefined)
    refuse({
      ...scenario.place(["modelCache"]),
      file: scenario.file,
      at: "modelCache",
      expected: "a deployment whose replicas can come and go: models that take turns on devices stay",
      found: "modelCache",
    });
  return trace === undefined ? scenario : scenario.vary([`traffic=${JSON.stringify({ kind: "trace", file: trace })}`]);
}

function refuseClosed(scenario: Scenario, kind: "open" | "closed"): void {
  if (kind === "closed")
    refuse({
      ...scenario.place(["traffic", "arrivals"]),
      file: scenario.file,
      at: "traffic.arrivals",
      expected: "requests that come when they like: a fixed number of clients brings no day of its own",
      found: "closed",
    });
}

/** The fewest static replicas that keep the goal, and their run. */
async function staticFleet(
  setting: DaySetting,
  mostReplicas: number,
  deps: DayDeps,
  advance: () => void,
): Promise<{ readonly best: DayRun; readonly fleet: StaticFleet }> {
  const { scenario } = setting;
  const still = withoutScaling(scenario);
  const nameOf = (counts: readonly number[]) => `${counts.join(" + ")} static`;
  const jobOf = (counts: readonly number[]): DayJob => ({
    name: nameOf(counts),
    kind: "static",
    set: [...still, ...withReplicas(scenario, counts)],
  });
  const seen: Seen = { best: null, nearest: null, runs: 0 };
  const found = await fewestReplicas(statedOnce(scenario), mostReplicas, async (counts) => {
    const ran = await runDayCandidate(setting, jobOf(counts), deps);
    if (ran === null) return null;
    seen.runs++;
    advance();
    const { holds, misses } = ran.candidate;
    if (holds && (seen.best === null || sum(counts) < sum(seen.best.counts))) seen.best = { ran, counts };
    if (seen.nearest === null || misses < seen.nearest.misses) seen.nearest = ran.candidate;
    return { holds, misses };
  });
  if (found === null) throw deps.signal!.reason as Error;
  if (seen.best === null) throw new InfeasibleError(noFleet(seen.nearest!));
  const { ran, counts } = seen.best;
  const keys = fleetKeys(scenario, "parallel");
  return {
    best: ran,
    fleet: {
      name: nameOf(counts),
      replicas: counts.map((count, i) => ({ at: `${keys[i]!.at}.replicas`, count })),
      oneMoreHolds: found.oneMoreHolds,
      runs: seen.runs,
    },
  };
}

/** What a search has come across: the smallest fleet that keeps the goal, and the one that misses least. */
interface Seen {
  best: { readonly ran: DayRun; readonly counts: readonly number[] } | null;
  nearest: DayCandidate | null;
  runs: number;
}

/** Replicas of each section in proportion to those that the scenario states. */
function statedOnce(scenario: Scenario): number[] {
  const stated = statedReplicas(scenario);
  return stated.length === 1 ? [1] : stated;
}

function noFleet({ name, misses, requests, slos }: DayCandidate): string {
  const failed = slos.filter(({ passed, level }) => !passed && level === "error");
  const what = failed.map(({ metric, expression, valueText }) => `${metric} ${expression} is ${valueText}`);
  return [
    `no number of static replicas keeps the SLOs: with ${name} ${misses} of ${requests} requests miss their limits`,
    ...what,
  ].join("; ");
}

function trafficByHour(rows: RequestRows, hours: number, hourNs: number): DayPlan["traffic"] {
  const traffic = Array.from({ length: hours }, () => ({ requests: 0, tokens: 0 }));
  for (let request = 0; request < rows.count; request++) {
    const hour = traffic[Math.min(hours - 1, Math.floor(rows.arrivalNs[request]! / hourNs))]!;
    hour.requests++;
    hour.tokens += rows.promptTokens[request]! + rows.outputTokens[request]!;
  }
  return traffic;
}
