import { load } from "./load.ts";
import { predictive } from "./predictive.ts";
import type { ScalingPolicy } from "./scaling.ts";
import { schedule } from "./schedule.ts";
import { sloMargin } from "./slo-margin.ts";

/** Scaling policies by the name a scenario uses. */
export const scalings = {
  load,
  schedule,
  "slo-margin": sloMargin,
  predictive,
} as const satisfies Record<string, ScalingPolicy>;

export type ScalingName = keyof typeof scalings;
