import type { EngineProfile } from "../../hardware/engine-profile.ts";
import { engineNamed } from "../../hardware/systems.ts";
import { closedLoop } from "../calibration/closed-loop.ts";
import { observeServing } from "../calibration/observe-serving.ts";
import { figuresOf, logsOf } from "../calibration/serving-figures.ts";
import { deploymentKey, seriesKey } from "../calibration/serving-samples.ts";
import { engineOf } from "../measured/names.ts";
import { configurationsOf } from "../measured/repeats.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import type { EngineFor } from "./leave-out.ts";
import { infeasibleReason, pointConfig } from "./point-config.ts";
import { predictPoint } from "./predict-point.ts";
import { type ObservedTtft, requestOverheadNs } from "./request-overhead.ts";

/** An observation of another layout of the same engine and model says less about a deployment than one of its own. */
export const otherLayoutWeight = 0.3;

/**
 * Engines adjusted to observed points: each forecast takes the observations of its own model, system, engine and
 * precision, those of its own layout first. Points nothing is observed of keep the committed profile.
 */
export function observePoints(observed: readonly ServingPoint[]): EngineFor {
  const adjusted = new Map<string, EngineProfile | null>();
  return (point) => {
    const key = deploymentKey(point);
    let engine = adjusted.get(key);
    if (engine === undefined) {
      engine = adjustedEngine(point, observed);
      adjusted.set(key, engine);
    }
    return engine;
  };
}

/** Points whose observations say something about one another: a model, system, engine and precision. */
export const alike = ({ model, system, engine, precision }: ServingPoint): string =>
  [model, system, engine, precision].join("|");

function adjustedEngine(point: ServingPoint, observed: readonly ServingPoint[]): EngineProfile | null {
  const { id } = engineOf(point.engine);
  if (id === null) return null;
  const base = engineNamed(id, point.version);
  const own = observed.filter((other) => alike(other) === alike(point) && pointConfig(other).config !== null);
  const samples = own.flatMap((other) => {
    const { config } = pointConfig(other);
    if (config === null || other.tpotMs === null) return [];
    const weight = deploymentKey(other) === deploymentKey(point) ? 1 : otherLayoutWeight;
    return [{ loop: closedLoop(config), tpotNs: other.tpotMs * 1e6, weight }];
  });
  if (samples.length === 0) return base;
  const engine = { ...base, ...figuresOf(observeServing(logsOf(base), samples)) };
  return { ...engine, requestOverheadNs: requestOverheadNs(observedTtfts(engine, own), engine.requestOverheadNs) };
}

/** The observed TTFTs with the simulations of their points. */
function observedTtfts(engine: EngineProfile, observed: readonly ServingPoint[]): ObservedTtft[] {
  return observed.flatMap((point) => {
    const { config } = pointConfig(point, { ...engine, requestOverheadNs: 0 });
    if (config === null || point.ttftMs === null) return [];
    try {
      return [{ measuredMs: point.ttftMs, simulated: predictPoint(config) }];
    } catch (error) {
      infeasibleReason(error);
      return [];
    }
  });
}

/**
 * One point of each series that has others, to be given before the others are forecast: that of the middle concurrency.
 */
export function middlePoints(points: readonly ServingPoint[]): ServingPoint[] {
  const series = new Map<string, ServingPoint[]>();
  for (const { points: rows } of configurationsOf(points)) {
    const [point] = rows;
    if (point === undefined) continue;
    const key = seriesKey(point);
    series.set(key, [...(series.get(key) ?? []), point]);
  }
  return [...series.values()].flatMap((rows) => {
    const sorted = rows.sort((a, b) => a.concurrency - b.concurrency);
    const middle = sorted[Math.floor(sorted.length / 2)];
    return sorted.length < 2 || middle === undefined ? [] : [middle];
  });
}
