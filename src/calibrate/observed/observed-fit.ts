import { InfeasibleError, refuse } from "../../core/errors.ts";
import { quantile } from "../../core/quantile.ts";
import { mean, sum } from "../../core/statistics.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { judgeLoad } from "../../sim/outcome/load/judge-load.ts";
import { countedRequests, requestValues } from "../../sim/outcome/request-latencies.ts";
import { simulate } from "../../sim/simulate.ts";
import { type ClosedLoop, closedLoop, closedLoopTpotNs } from "../engine/closed-loop.ts";
import { type FigureFactor, fitFactors, type LoopSample, withFactors } from "../engine/fit-factors.ts";
import { type PointPrediction, predictPoint } from "../engine/predict-point.ts";
import { figuresOf, logsOf, type ServingFigures } from "../engine/serving-figures.ts";
import type { ObservedLoad } from "./observed-loads.ts";

/** An engine adjusted to observed loads. */
export interface ObservedFit {
  readonly engine: EngineProfile;
  /** Simulated TPOT of each load before and after, ms. */
  readonly beforeMs: readonly number[];
  readonly afterMs: readonly number[];
  /** Mean absolute error of a load's TPOT that was forecast from observations of others, percent; null for one load. */
  readonly left: { readonly fromOthersPercent: number; readonly fromOnePercent: number } | null;
}

/** Rounds of simulating the loads and adjusting the engine; the second settles what the first moved. */
const rounds = 2;
/** Loads of which every one is also forecast from every other one. */
const pairedMax = 24;

/**
 * Adjusts the factors that differ between deployments of one engine to observed loads. The simulation gives the level of
 * each load, with everything the scenario states; the steady state of its closed loop gives how the level moves with the
 * engine's figures. TTFTs below saturation set the handling time of a request.
 */
export function fitObserved(base: EngineProfile, loads: readonly ObservedLoad[]): ObservedFit {
  const figures = logsOf(base);
  const loops = loads.map(({ closed }) => closedLoop(closed));
  const simulated = (engine: EngineProfile) => ({
    engine,
    tpotMs: loads.map((load) => forecastLoad(load, engine).tpotMs),
  });
  const before = simulated(base);
  let samples: readonly LoopSample[] = [];
  let latest = before;
  let best = before;
  for (let round = 0; round < rounds; round++) {
    const { tpotMs: simulatedMs } = latest;
    let { engine } = latest;
    const values = logsOf(engine).map(Math.exp);
    samples = loads.map(({ tpotMs, weight }, i) => {
      const loop = loops[i] as ClosedLoop;
      return { loop, tpotNs: (closedLoopTpotNs(loop, values) * tpotMs) / (simulatedMs[i] ?? 0), weight };
    });
    engine = { ...base, ...rounded(figuresOf(observeServing(figures, samples))) };
    // While a request is handled its client leaves the batch: the next round simulates with the handling of this one.
    engine = { ...engine, requestOverheadNs: handlingNs(loads, engine) };
    latest = simulated(engine);
    // Where a simulation moves otherwise than its steady state, a round may lead away from the points.
    if (misfit(loads, latest.tpotMs) <= misfit(loads, best.tpotMs) + indifferent) best = latest;
  }
  return {
    engine: best.engine,
    beforeMs: before.tpotMs,
    afterMs: best.tpotMs,
    left: leftError(figures, samples),
  };
}

/** Mean |ln(simulated / measured)| below which two engines fit alike; the later one has its handling settled. */
const indifferent = 0.01;

/** Weighted mean |ln(simulated / measured)| of the TPOT of loads. */
function misfit(loads: readonly ObservedLoad[], simulatedMs: readonly number[]): number {
  const weights = sum(loads.map(({ weight }) => weight));
  return (
    sum(loads.map(({ tpotMs, weight }, i) => weight * Math.abs(Math.log((simulatedMs[i] ?? 0) / tpotMs)))) / weights
  );
}

/** Four digits are all that a fit knows, and what the ledger shows. */
function rounded(figures: ServingFigures): ServingFigures {
  const digits = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  return JSON.parse(JSON.stringify(figures, digits)) as ServingFigures;
}

function leftError(figures: Float64Array, samples: readonly LoopSample[]): ObservedFit["left"] {
  if (samples.length < 2) return null;
  const error = ({ loop, tpotNs }: LoopSample, given: readonly LoopSample[]) =>
    100 * Math.abs(closedLoopTpotNs(loop, observeServing(figures, given).map(Math.exp)) / tpotNs - 1);
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
  { figures: ["kernelExcess", "prefillExcess"], sigma: 0.18 },
  { figures: ["kernelOverheadNs", "stepOverheadNs"], sigma: 0.25 },
  { figures: ["sequenceOverheadNs"], sigma: 0.4 },
  { figures: ["prefillExcess", "prefillStepOverheadNs"], sigma: 0.25 },
  { figures: ["collectiveFactor"], sigma: 0.2 },
];
/** Repeats of one measurement differ by 1 % at the median and 8 % at the 90th percentile; observations are trusted. */
const observation = { noise: 0.03, robustFrom: Number.POSITIVE_INFINITY };

/**
 * An engine's figures adjusted to measured points of one deployment: a few factors, each within its prior, most likely
 * given the points. One point mostly moves what the deployment spends most time on.
 */
export function observeServing(figures: Float64Array, observed: readonly LoopSample[]): Float64Array {
  return withFactors(figures, deploymentFactors, fitFactors(figures, observed, deploymentFactors, observation));
}

type Shown = Pick<PointPrediction, "tpotMs" | "ttftMs" | "saturated">;

/** What an observed load shows when it is simulated with an engine; TTFT as the load states it. Refuses one that is not served. */
function forecastLoad({ served, closed, file, line, name }: ObservedLoad, engine: EngineProfile): Shown {
  try {
    const shown = served === closed ? predictPoint({ ...closed, engine }) : replayed({ ...served, engine });
    if (shown.tpotMs > 0) return shown;
  } catch (error) {
    if (!(error instanceof InfeasibleError)) throw error;
    refuse({ ...place(file, line), expected: "a load that fits the deployment", found: name, hint: error.message });
  }
  return refuse({
    ...place(file, line),
    expected: "a load of which requests complete on the scenario's deployment",
    found: name,
  });
}

const place = (file: string, line: number | null) => ({ file, ...(line === null ? {} : { line }) });

function replayed(config: ObservedLoad["served"]): Shown {
  const run = simulate(config);
  const { requests } = run;
  const completed = countedRequests(requests, null);
  return {
    tpotMs: mean(requestValues(requests, "tpot", completed)) / 1e6,
    ttftMs: completed.length === 0 ? 0 : quantile(requestValues(requests, "ttft", completed), 0.5) / 1e6,
    saturated: judgeLoad(run).verdict === "overloaded",
  };
}

/** A measured TTFT, and the simulated one without its handling. */
interface ObservedTtft {
  readonly measuredMs: number;
  readonly unhandledMs: number;
}

/**
 * What observed TTFTs leave for the handling of a request once its prefill is simulated, whole ns: of the single
 * remainders the one with the least mean |ln ratio| over all. Queueing says nothing about it: that of `engine` where no
 * load is below saturation.
 */
function handlingNs(loads: readonly ObservedLoad[], engine: EngineProfile): number {
  const below = loads.flatMap((load): ObservedTtft[] => {
    if (load.ttftMs === null) return [];
    const { ttftMs, saturated } = forecastLoad(load, engine);
    return saturated ? [] : [{ measuredMs: load.ttftMs, unhandledMs: ttftMs - engine.requestOverheadNs / 1e6 }];
  });
  let best = engine.requestOverheadNs;
  let least = Number.POSITIVE_INFINITY;
  for (const { measuredMs, unhandledMs } of below) {
    const handlingMs = Math.max(0, measuredMs - unhandledMs);
    const loss = below.reduce(
      (sum, other) => sum + Math.abs(Math.log((other.unhandledMs + handlingMs) / other.measuredMs)),
      0,
    );
    if (loss >= least) continue;
    least = loss;
    best = handlingMs * 1e6;
  }
  return Math.round(best);
}
