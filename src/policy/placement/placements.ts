import { contiguous } from "./contiguous.ts";
import { eplb } from "./eplb.ts";
import { lpt } from "./lpt.ts";
import type { PlacementPolicy } from "./placement.ts";
import { roundRobin } from "./round-robin.ts";
import { trivial } from "./trivial.ts";

/** Placement policies by the name a scenario uses. */
export const placements = {
  contiguous,
  trivial,
  "round-robin": roundRobin,
  lpt,
  eplb,
} as const satisfies Record<string, PlacementPolicy>;

export type PlacementName = keyof typeof placements;
