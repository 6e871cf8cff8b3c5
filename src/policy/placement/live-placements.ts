import { biased } from "./biased.ts";
import { contiguous } from "./contiguous.ts";
import { eplb } from "./eplb.ts";
import { flashlb } from "./flashlb.ts";
import { lpt } from "./lpt.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { roundRobin } from "./round-robin.ts";
import { shadowing } from "./shadowing.ts";
import { swift } from "./swift.ts";
import { trivial } from "./trivial.ts";

/**
 * Placement policies that a running engine can ask for a new map, by the name a scenario uses: they need no solver, and nothing but
 * what it counts, loads, and knows, the map in use.
 */
export const livePlacements = {
  eplb,
  lpt,
  flashlb,
  swift,
  biased,
  shadowing,
  trivial,
  "round-robin": roundRobin,
  contiguous,
} as const satisfies Record<string, LivePlacementPolicy>;

export type LivePlacementName = keyof typeof livePlacements;

export const livePlacementNames = Object.keys(livePlacements) as [LivePlacementName, ...LivePlacementName[]];
