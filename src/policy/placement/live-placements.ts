import { contiguous } from "./contiguous.ts";
import { eplb } from "./eplb.ts";
import { lpt } from "./lpt.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { roundRobin } from "./round-robin.ts";
import { trivial } from "./trivial.ts";

/** Placement policies that a running engine can ask for a new map, by the name a scenario uses. */
export const livePlacements = { eplb, lpt, trivial, "round-robin": roundRobin, contiguous } as const satisfies Record<
  string,
  LivePlacementPolicy
>;

export type LivePlacementName = keyof typeof livePlacements;

export const livePlacementNames = Object.keys(livePlacements) as [LivePlacementName, ...LivePlacementName[]];
