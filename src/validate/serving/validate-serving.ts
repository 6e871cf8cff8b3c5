import { setImmediate } from "node:timers/promises";
import { infeasibleReason, pointConfig } from "../../calibrate/engine/point-config.ts";
import { type PointPrediction, predictPoint, requestsPerClient } from "../../calibrate/engine/predict-point.ts";
import { listedSeriesOf } from "../../calibrate/measured/listed-series.ts";
import { configurationsOf } from "../../calibrate/measured/repeats.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { version } from "../../core/version.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { inOneStretch } from "../../files/signals.ts";
import type { Band } from "../../forecast/bands/band.ts";
import type { LatencyBands } from "../../forecast/bands/error-band-table.ts";
import { type EngineFor, type LeaveOut, leaveOut } from "./leave-out.ts";
import { alike, middlePoints, observePoints } from "./observe-points.ts";
import { bandsOfPoint, classOfLeaveOut } from "./point-bands.ts";
import { summarise } from "./summarise.ts";
import { type PointError, type PointMetric, type Validation, validationSchemaVersion } from "./validation.ts";
import { withNestedBands } from "./with-nested-bands.ts";

export interface ServingValidationOptions {
  readonly leaveOut: LeaveOut;
  /** Measured points of the deployments in question, to adjust engines to before the rest is forecast. */
  readonly observed: readonly ServingPoint[];
  readonly inputs: Validation["inputs"];
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Above this measured TTFT requests wait for one another whatever the forecast says. */
const saturatedTtftMs = 5000;

/** Simulates every measured point and compares. Points that cannot be simulated are listed with the reason. */
export async function validateServing(
  points: readonly ServingPoint[],
  options: ServingValidationOptions,
): Promise<Validation> {
  const onePoint = options.leaveOut === "point" || options.leaveOut === "near-point";
  const observed = onePoint ? middlePoints(points) : options.observed;
  const engineFor = inOneStretch(() => enginesOf(points, options.leaveOut, observed));
  const given = new Set(
    configurationsOf([...points, ...observed]).flatMap(({ points: rows }) =>
      rows.some((row) => observed.includes(row)) ? rows : [],
    ),
  );
  const judged = points.filter((point) => !given.has(point));
  const spokenFor = new Set(observed.map(alike));
  const errors: PointError[] = [];
  const skipped: Validation["skipped"][number][] = [];
  for (const [index, point] of judged.entries()) {
    if (options.signal?.aborted === true) break;
    const bands = bandsOfPoint(point, options.leaveOut, spokenFor.has(alike(point)));
    const outcome = forecastPoint(point, engineFor?.(point) ?? undefined, bands);
    if (typeof outcome === "string") skipped.push({ point, reason: outcome });
    else errors.push(outcome);
    options.onProgress?.(index + 1, judged.length);
    await setImmediate();
  }
  const banded = options.leaveOut === null ? errors : withNestedBands(errors, classOfLeaveOut[options.leaveOut]);
  return {
    schemaVersion: validationSchemaVersion,
    kind: "validation",
    moecastVersion: version,
    inputs: options.inputs,
    basis: `${basisOf(options.leaveOut, observed.length)}${stoppedAfter(errors.length + skipped.length, judged.length)}`,
    ...summarise(banded),
    points: banded,
    skipped,
  };
}

function enginesOf(
  points: readonly ServingPoint[],
  kind: LeaveOut,
  observed: readonly ServingPoint[],
): EngineFor | null {
  if (kind === "near-point") return observePoints(observed, leaveOut(points, "near"));
  if (kind !== null && kind !== "point") return leaveOut(points, kind);
  return observed.length > 0 ? observePoints(observed) : null;
}

/** Marks what was interrupted. */
const stoppedAfter = (compared: number, points: number): string =>
  compared === points ? "" : `; interrupted after ${compared} of ${points} points`;

const withoutNear = "engines fitted without the model, the architecture and the engine that are forecast";

function basisOf(kind: LeaveOut, observed: number): string {
  if (kind === "point") return "committed profiles adjusted to one point of each series, which is not judged";
  if (kind === "near-point") return `${withoutNear}, adjusted to one point of each series, which is not judged`;
  if (kind === "near") return withoutNear;
  if (kind !== null) return `engines fitted without the ${kind} that is forecast`;
  return observed > 0 ? `committed profiles adjusted to ${observed} observed points` : "committed profiles";
}

/** The errors of one point, or why it was not forecast. */
function forecastPoint(
  point: ServingPoint,
  engine: EngineProfile | undefined,
  bands: LatencyBands,
): PointError | string {
  const { config, reason } = pointConfig(point, engine);
  if (config === null) return reason;
  try {
    const prediction = predictPoint(config, requestsPerClient(point));
    const listedSeries = listedSeriesOf(point);
    const saturated = prediction.saturated || (point.ttftMs ?? 0) > saturatedTtftMs;
    return {
      point,
      tpot: metricOf(point.tpotMs, prediction.tpotMs, bands.tpot),
      // No band holds a wait in the load generator's queue.
      ttft: metricOf(point.ttftMs, prediction.ttftMs, saturated ? null : bands.ttft),
      saturated,
      listedSeries,
      reason: reasonOf(prediction),
    };
  } catch (error) {
    return infeasibleReason(error);
  }
}

function metricOf(measuredMs: number | null, predictedMs: number, band: Band | null): PointMetric | null {
  if (measuredMs === null) return null;
  return {
    measuredMs,
    predictedMs,
    errorPercent: 100 * (predictedMs / measuredMs - 1),
    lowMs: band === null ? null : predictedMs * band[0],
    highMs: band === null ? null : predictedMs * band[1],
  };
}

function reasonOf({ largest, saturated }: PointPrediction): string {
  const component = largest.component.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${component} is ${Math.round(100 * largest.share)}% of step time${saturated ? "; saturated" : ""}`;
}
