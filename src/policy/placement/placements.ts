import { biased } from "./biased.ts";
import { contiguous } from "./contiguous.ts";
import { eplb } from "./eplb.ts";
import { exflow } from "./exflow.ts";
import { flashlb } from "./flashlb.ts";
import { givenMap } from "./given-map.ts";
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
import { trivial } from "./trivial.ts";

/** Placement policies by the name a scenario uses: those that decide where experts go. */
export const placements = {
  contiguous,
  trivial,
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

/** What `policy.placement.kind` may be: a policy, or a map that somebody else made. */
export const placementKinds = { ...placements, file: givenMap } as const satisfies Record<string, PlacementPolicy>;
