import { sum } from "../../core/statistics.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { closedLoop, closedLoopTpotNs } from "../engine/closed-loop.ts";
import {
  type FigureFactor,
  fitFactors,
  type LoopPart,
  type LoopSample,
  partFactor,
  withFactors,
} from "../engine/fit-factors.ts";
import { figuresOf, logsOf, type ServingFigures } from "../engine/serving-figures.ts";
import { fetchFactorMin } from "./fetch-speed.ts";
import type { ObservedLoad } from "./observed-loads.ts";
import { byChance, misfit, ttftTrust } from "./observed-misfit.ts";
import { type Deployment, type ObservedLoop, type Round, samplesOf } from "./observed-samples.ts";
import { type Adjusted, type ShownLoad, showLoad } from "./shown-load.ts";

/** A deployment adjusted to observed loads. */
export interface ObservedFit extends Adjusted {
  /** What each load shows before and after. */
  readonly before: readonly ShownLoad[];
  readonly after: readonly ShownLoad[];
  /** Mean absolute error of a load's TPOT that was forecast from observations of others, percent; null for one load. */
  readonly left: { readonly fromOthersPercent: number; readonly fromOnePercent: number } | null;
}

/** Rounds of simulating the loads and adjusting to them: the first moves, the others settle what it moved. */
const roundsMax = 4;
/** Root mean square of ln(simulated / measured) at which no further round is made. */
const settled = 0.005;
/** Loads of which every one is also forecast from every other one. */
const pairedMax = 24;

/**
 * Adjusts the factors that differ between deployments of one engine to observed loads. The simulation gives the level of
 * each load, with everything the scenario states; the steady state of its closed loop gives how the level moves with the
 * engine's figures.
 */
export function fitObserved(
  base: EngineProfile,
  loads: readonly ObservedLoad[],
  show: (load: ObservedLoad, adjusted: Adjusted) => ShownLoad = showLoad,
): ObservedFit {
  const figures = logsOf(base);
  const observed = loads.map((load): ObservedLoop => ({ load, loop: closedLoop(load.closed) }));
  const roundOf = (adjusted: Deployment): Round => ({ ...adjusted, shown: loads.map((load) => show(load, adjusted)) });
  const before = roundOf({ engine: base, fetchFactor: 1, handlingFactor: 1 });
  let best = before;
  let latest = before;
  for (let round = 0; round < roundsMax && misfit(loads, best.shown) > settled; round++) {
    latest = roundOf(adjustedFrom(latest, base, observed));
    // Where a simulation moves otherwise than its steady state, a round may lead away from the points.
    const closer = misfit(loads, latest.shown) < misfit(loads, best.shown);
    if (closer && !byChance(observed, before, latest)) best = latest;
  }
  return {
    engine: best.engine,
    fetchFactor: best.fetchFactor,
    before: before.shown,
    after: best.shown,
    left: leftError(figures, samplesOf(best, observed)),
  };
}

/** The deployment that the levels of a round suggest. */
function adjustedFrom(round: Round, base: EngineProfile, observed: readonly ObservedLoop[]): Deployment {
  const { logs, fetchFactor, handlingFactor } = deploymentOf(logsOf(base), samplesOf(round, observed));
  const handled = (ns: number) => Math.round(ns * handlingFactor);
  const engine = {
    ...base,
    ...rounded(figuresOf(logs)),
    requestOverheadNs: handled(base.requestOverheadNs),
    promptTokenDelayNs: handled(base.promptTokenDelayNs),
  };
  const fastest = Math.max(0, ...observed.map(({ load }) => fetchFactorMin(load.served.node)));
  return { engine, fetchFactor: Math.max(fastest, Number(fetchFactor.toPrecision(4))), handlingFactor };
}

/** Four digits are all that a fit knows, and what the ledger shows. */
function rounded(figures: ServingFigures): ServingFigures {
  const digits = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  return JSON.parse(JSON.stringify(figures, digits)) as ServingFigures;
}

function leftError(figures: Float64Array, samples: readonly LoopSample[]): ObservedFit["left"] {
  if (samples.length < 2) return null;
  const error = ({ loop, tpotNs, fetches: waitNs = 0 }: LoopSample, given: readonly LoopSample[]) => {
    const { logs, fetchFactor } = deploymentOf(figures, given);
    return 100 * Math.abs((closedLoopTpotNs(loop, logs.map(Math.exp)) + waitNs * fetchFactor) / tpotNs - 1);
  };
  const others = (sample: LoopSample, all: readonly LoopSample[]) => all.filter((other) => other !== sample);
  const paired = samples.slice(0, pairedMax);
  return {
    fromOthersPercent: meanError(samples.map((sample) => error(sample, others(sample, samples)))),
    fromOnePercent: meanError(paired.flatMap((sample) => others(sample, paired).map((one) => error(sample, [one])))),
  };
}

const meanError = (errors: readonly number[]): number => sum(errors) / errors.length;

/** What may differ between two deployments of one engine, as factors on groups of its figures, and how far. */
const deploymentFactors: readonly FigureFactor[] = [
  { figures: ["kernelExcess", "prefillExcess"], sigma: 0.3 },
  { figures: ["kernelOverheadNs", "stepOverheadNs"], sigma: 0.25 },
  { figures: ["sequenceOverheadNs"], sigma: 0.4 },
  { figures: ["prefillExcess", "prefillStepOverheadNs"], sigma: 0.25 },
  { figures: ["collectiveFactor"], sigma: 0.3 },
  // Copies from pageable memory reach about half of what those from pinned memory do: an estimate.
  { figures: [], part: "fetches", sigma: 0.5 },
  // Engines differ by a standard deviation of 1 (`request-handling.ts`), deployments of one by less. Chosen by TTFTs of
  // series with one point given: their median error is 9.8 % at 0.4, 10.5 % at 0.6 and 12.0 % at 0.25, on a quarter of them.
  { figures: [], part: "handling", sigma: 0.4 },
];
/**
 * Repeats of one measurement differ by 1 % at the median and 8 % at the 90th percentile; observed TPOTs are trusted.
 * What three standard deviations of every factor do not explain is another deployment, and no figure is stretched to it.
 */
const observation = { noise: 0.03, robustFrom: Number.POSITIVE_INFINITY, ttft: ttftTrust, sigmasMax: 3 };

/**
 * An engine's figures adjusted to measured points of one deployment: a few factors, each within its prior, most likely
 * given the points. One point mostly moves what the deployment spends most time on.
 */
export function observeServing(figures: Float64Array, observed: readonly LoopSample[]): Float64Array {
  return deploymentOf(figures, observed).logs;
}

/** The same, and the factors on what no figure scales. */
function deploymentOf(
  figures: Float64Array,
  observed: readonly LoopSample[],
): { readonly logs: Float64Array; readonly fetchFactor: number; readonly handlingFactor: number } {
  const values = fitFactors(figures, observed, deploymentFactors, observation);
  const factor = (part: LoopPart) => partFactor(part, deploymentFactors, values);
  return {
    logs: withFactors(figures, deploymentFactors, values),
    fetchFactor: factor("fetches"),
    handlingFactor: factor("handling"),
  };
}
