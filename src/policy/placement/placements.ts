import { contiguous } from "./contiguous.ts";
import { eplb } from "./eplb.ts";
import { givenMap } from "./given-map.ts";
import { lpt } from "./lpt.ts";
import type { PlacementPolicy } from "./placement.ts";
import { roundRobin } from "./round-robin.ts";

/** Placement policies by the name a scenario uses: those that decide where experts go. */
export const placements = {
  contiguous,
  "round-robin": roundRobin,
  lpt,
  eplb,
} as const satisfies Record<string, PlacementPolicy>;

export type PlacementName = keyof typeof placements;

/** What `policy.placement.kind` may be: a policy, or a map that somebody else made. */
export const placementKinds = { ...placements, file: givenMap } as const satisfies Record<string, PlacementPolicy>;

export type PlacementKind = PlacementName | "file";
