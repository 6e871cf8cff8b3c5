import { pointConfig } from "../../src/calibrate/engine/point-config.ts";
import { type PointPrediction, predictPoint } from "../../src/calibrate/engine/predict-point.ts";
import type { ServingPoint } from "../../src/calibrate/measured/serving-point.ts";
import type { EngineProfile } from "../../src/engine/engine-profile.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { servingPoint } from "./example-points.ts";

/** A load that takes milliseconds to simulate: Qwen3-30B-A3B on two H100; parts can be replaced. */
export const smallPoint = (parts: Partial<ServingPoint> = {}): ServingPoint =>
  servingPoint({
    model: "Qwen/Qwen3-30B-A3B",
    system: "h100_sxm",
    promptTokens: 64,
    outputTokens: 16,
    concurrency: 4,
    ...parts,
  });

/** The simulation of a point; throws where there is none. */
export function configOf(point: ServingPoint, engine?: EngineProfile): SimConfig {
  const { config, reason } = pointConfig(point, engine);
  if (config === null) throw new Error(reason);
  return config;
}

export const predictionOf = (point: ServingPoint, engine?: EngineProfile): PointPrediction =>
  predictPoint(configOf(point, engine));

/** The points as a deployment of `engine` (by default of the committed profile) would measure them, as lines of one table. */
export const measuredOn = (points: readonly ServingPoint[], engine?: EngineProfile): ServingPoint[] =>
  points.map((point, i) => {
    const { ttftMs, tpotMs } = predictionOf(point, engine);
    return { ...point, ttftMs, tpotMs, line: i + 2 };
  });
