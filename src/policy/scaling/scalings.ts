import { load } from "./load.ts";
import type { ScalingPolicy } from "./scaling.ts";
import { schedule } from "./schedule.ts";

/** Scaling policies by the name a scenario uses. */
export const scalings = { load, schedule } as const satisfies Record<string, ScalingPolicy>;

export type ScalingName = keyof typeof scalings;
