import { infeasibleReason, pointConfig } from "../../calibrate/engine/point-config.ts";
import { predictPoint, requestsPerClient } from "../../calibrate/engine/predict-point.ts";
import { deploymentKey, seriesKey } from "../../calibrate/engine/serving-samples.ts";
import { engineOf } from "../../calibrate/measured/names.ts";
import { configurationsOf } from "../../calibrate/measured/repeats.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { fitObserved } from "../../calibrate/observed/observed-fit.ts";
import { type ObservedLoad, otherLayoutWeight } from "../../calibrate/observed/observed-loads.ts";
import { engineNamed } from "../../engine/catalogue.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { EngineFor } from "./leave-out.ts";

/**
 * Engines adjusted to observed points: each forecast takes the observations of its own model, system, engine and
 * precision (of its version, where there are any), those of its own layout first. Points nothing is observed of keep the
 * engine that `engineFor` gives, which is the committed profile.
 */
export function observePoints(observed: readonly ServingPoint[], engineFor: EngineFor = committedEngine): EngineFor {
  const adjusted = new Map<string, EngineProfile | null>();
  return (point) => {
    const key = deploymentKey(point);
    let engine = adjusted.get(key);
    if (engine === undefined) {
      engine = adjustedEngine(point, observed, engineFor(point));
      adjusted.set(key, engine);
    }
    return engine;
  };
}

/** Points whose observations say something about one another: a model, system, engine and precision. */
export const alike = ({ model, system, engine, precision }: ServingPoint): string =>
  [model, system, engine, precision].join("|");

function committedEngine({ engine, version }: ServingPoint): EngineProfile | null {
  const { id } = engineOf(engine);
  return id === null ? null : engineNamed(id, version);
}

function adjustedEngine(
  point: ServingPoint,
  observed: readonly ServingPoint[],
  base: EngineProfile | null,
): EngineProfile | null {
  if (base === null) return null;
  const kindred = observed.filter((other) => alike(other) === alike(point));
  const sameVersion = kindred.filter(({ version }) => version === point.version);
  const loads = (sameVersion.length > 0 ? sameVersion : kindred).flatMap((other) => loadOf(other, point, base));
  return loads.length === 0 ? base : fitObserved(base, loads).engine;
}

/** An observed point as a load of the deployment in question; none where it cannot be simulated. */
function loadOf(observed: ServingPoint, point: ServingPoint, engine: EngineProfile): ObservedLoad[] {
  const { config } = pointConfig(observed, engine);
  if (config === null || observed.tpotMs === null) return [];
  try {
    predictPoint(config);
  } catch (error) {
    infeasibleReason(error);
    return [];
  }
  const { file, line, tpotMs, ttftMs } = observed;
  const weight = deploymentKey(observed) === deploymentKey(point) ? 1 : otherLayoutWeight;
  return [
    {
      name: `${observed.concurrency} clients`,
      file,
      line,
      closed: config,
      served: config,
      reading: { kind: "point", requestsPerClient: requestsPerClient(observed) },
      tpotMs,
      ttftMs,
      weight,
    },
  ];
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
