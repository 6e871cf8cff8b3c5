import { type ClosedLoop, closedLoop } from "../../../src/calibrate/engine/closed-loop.ts";
import { pointConfig } from "../../../src/calibrate/engine/point-config.ts";
import type { ServingPoint } from "../../../src/calibrate/measured/serving-point.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { servingPoint } from "../example-points.ts";

/** The simulation of a small closed loop: Qwen3-30B-A3B on H100, parts of the point replaced. */
export function loopConfig(parts: Partial<ServingPoint> = {}): SimConfig {
  const point = servingPoint({
    model: "Qwen/Qwen3-30B-A3B",
    system: "h100_sxm",
    promptTokens: 256,
    outputTokens: 128,
    ...parts,
  });
  const { config, reason } = pointConfig(point);
  if (config === null) throw new Error(reason);
  return config;
}

export const loopOf = (parts: Partial<ServingPoint> = {}): ClosedLoop => closedLoop(loopConfig(parts));
