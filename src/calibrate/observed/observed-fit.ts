import type { EngineProfile } from "../../engine/engine-profile.ts";
import { type ClosedLoop, closedLoop, closedLoopTpotNs } from "../engine/closed-loop.ts";
import { figuresOf, logsOf, type ServingFigures } from "../engine/serving-figures.ts";
import { forecastLoad } from "./forecast-load.ts";
import { observeServing } from "./observe-serving.ts";
import type { ObservedLoad } from "./observed-loads.ts";
import { requestOverheadNs } from "./request-overhead.ts";

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

type Sample = Parameters<typeof observeServing>[1][number];

/**
 * Adjusts the factors that differ between deployments of one engine to observed loads. The simulation gives the level of
 * each load, with everything the scenario states; the steady state of its closed loop gives how the level moves with the
 * engine's figures. TTFTs below saturation set the handling time of a request.
 */
export function fitObserved(base: EngineProfile, loads: readonly ObservedLoad[]): ObservedFit {
  const figures = logsOf(base);
  const loops = loads.map(({ closed }) => closedLoop(closed));
  let engine = base;
  let samples: readonly Sample[] = [];
  let beforeMs: readonly number[] | null = null;
  for (let round = 0; round < rounds; round++) {
    const simulatedMs = loads.map((load) => forecastLoad(load, engine).tpotMs);
    beforeMs ??= simulatedMs;
    const values = logsOf(engine).map(Math.exp);
    samples = loads.map(({ tpotMs, weight }, i) => {
      const loop = loops[i] as ClosedLoop;
      const simulated = simulatedMs[i] ?? 0;
      return { loop, tpotNs: (closedLoopTpotNs(loop, values) * tpotMs) / simulated, weight };
    });
    engine = { ...base, ...rounded(figuresOf(observeServing(figures, samples))) };
  }
  const bare = loads.map((load) => forecastLoad(load, { ...engine, requestOverheadNs: 0 }));
  const ttfts = loads.flatMap(({ ttftMs }, i) => {
    const simulated = bare[i];
    return ttftMs === null || simulated === undefined ? [] : [{ measuredMs: ttftMs, simulated }];
  });
  engine = { ...engine, requestOverheadNs: Math.round(requestOverheadNs(ttfts, base.requestOverheadNs)) };
  return {
    engine,
    beforeMs: beforeMs ?? [],
    // Not those of `bare`: while a request is handled its client leaves the batch.
    afterMs: loads.map((load) => forecastLoad(load, engine).tpotMs),
    left: leftError(figures, samples),
  };
}

/** Four digits are all that a fit knows, and what the ledger shows. */
function rounded(figures: ServingFigures): ServingFigures {
  const digits = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  return JSON.parse(JSON.stringify(figures, digits)) as ServingFigures;
}

function leftError(figures: Float64Array, samples: readonly Sample[]): ObservedFit["left"] {
  if (samples.length < 2) return null;
  const error = ({ loop, tpotNs }: Sample, given: readonly Sample[]) =>
    100 * Math.abs(closedLoopTpotNs(loop, observeServing(figures, given).map(Math.exp)) / tpotNs - 1);
  const mean = (errors: readonly number[]) => errors.reduce((sum, value) => sum + value, 0) / errors.length;
  const others = (sample: Sample, all: readonly Sample[]) => all.filter((other) => other !== sample);
  const paired = samples.slice(0, pairedMax);
  return {
    fromOthersPercent: mean(samples.map((sample) => error(sample, others(sample, samples)))),
    fromOnePercent: mean(paired.flatMap((sample) => others(sample, paired).map((one) => error(sample, [one])))),
  };
}
