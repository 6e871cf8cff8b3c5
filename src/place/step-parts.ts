import { sum } from "../core/statistics.ts";
import { formatPercent } from "../core/units.ts";
import { type TimeComponent, timeComponents } from "../sim/result.ts";
import { type PlacedRun, tokensOf } from "./placed-runs.ts";

/** What the time of steps goes into, as far as placements and mappings differ in it. */
export const stepParts = ["experts", "wait", "fetch", "exchange", "allReduce", "rest"] as const;
export type StepPart = (typeof stepParts)[number];

/** ns of steps per token that was computed, prompt or output. */
export type StepTimes = Readonly<Record<StepPart, number>>;

/** Share of step time below which a difference explains nothing. */
export const telling = 0.005;

const inWords: Readonly<Record<StepPart, string>> = {
  experts: "the experts' own work",
  wait: "waiting for the busiest rank",
  fetch: "fetching experts",
  exchange: "tokens on their way to experts and back",
  allReduce: "sums over tensor-parallel ranks",
  rest: "attention, launches and the rest",
};

const partOf: Readonly<Partial<Record<TimeComponent, StepPart>>> = {
  experts: "experts",
  sharedExperts: "experts",
  expertWait: "wait",
  expertFetch: "fetch",
  dispatch: "exchange",
  combine: "exchange",
  allReduce: "allReduce",
};

/** What the steps of runs took, over all of them. */
export function stepTimes(runs: readonly PlacedRun[]): StepTimes {
  const times = Object.fromEntries(stepParts.map((part) => [part, 0])) as Record<StepPart, number>;
  for (const { run } of runs)
    for (const component of timeComponents) times[partOf[component] ?? "rest"] += run.time[component];
  for (const part of stepParts) times[part] /= tokensOf(runs);
  return times;
}

/** Time of a step over all parts. */
export const stepSum = (times: StepTimes): number => sum(Object.values(times));

/** What a part of a step takes more than in other steps, as a share of all that those take. */
export const partRise = (part: StepPart, from: StepTimes, to: StepTimes): number =>
  (to[part] - from[part]) / stepSum(from);

/** The parts that make steps longer and shorter than others, the largest first; empty where none tells. */
export function partsInWords(from: StepTimes, to: StepTimes): { readonly longer: string; readonly shorter: string } {
  const rises = stepParts.map((part) => ({ part, rise: partRise(part, from, to) }));
  const said = (sign: 1 | -1) =>
    rises
      .filter(({ rise }) => sign * rise >= telling)
      .sort((a, b) => sign * (b.rise - a.rise))
      .map(({ part, rise }) => `${inWords[part]} ${formatPercent(Math.abs(rise), 1)}`)
      .join(", ");
  return { longer: said(1), shorter: said(-1) };
}
