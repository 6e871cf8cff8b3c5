import { biased } from "./biased.ts";
import { contiguous } from "./contiguous.ts";
import { eplb } from "./eplb.ts";
import { exflow } from "./exflow.ts";
import { flashlb } from "./flashlb.ts";
import { grace } from "./grace.ts";
import { grouped } from "./grouped.ts";
import { lpt } from "./lpt.ts";
import { moetuner } from "./moetuner.ts";
import type { PlacementPolicy } from "./placement.ts";
import { random } from "./random.ts";
import { roundRobin } from "./round-robin.ts";
import { search } from "./search.ts";
import { shadowing } from "./shadowing.ts";
import { swift } from "./swift.ts";

/** Placement policies by the name a scenario uses. */
export const placements = {
  contiguous,
  "round-robin": roundRobin,
  random,
  lpt,
  eplb,
  biased,
  flashlb,
  swift,
  shadowing,
  grouped,
  exflow,
  grace,
  moetuner,
  search,
} as const satisfies Record<string, PlacementPolicy>;

export type PlacementName = keyof typeof placements;
