import type { DispatchPolicy } from "./dispatch.ts";
import { dualAscentDispatch } from "./dual-ascent.ts";
import { fakeDispatch } from "./fake.ts";
import { lpDispatch } from "./lp.ts";
import { randomDispatch } from "./random.ts";
import { roundRobinDispatch } from "./round-robin.ts";
import { staticNearestDispatch } from "./static-nearest.ts";
import { weightedDispatch } from "./weighted.ts";

/** Rules that choose among the copies of an expert, by the name a scenario uses. */
export const dispatches = {
  "round-robin": roundRobinDispatch,
  random: randomDispatch,
  "static-nearest": staticNearestDispatch,
  weighted: weightedDispatch,
  lp: lpDispatch,
  "dual-ascent": dualAscentDispatch,
  fake: fakeDispatch,
} as const satisfies Record<string, DispatchPolicy>;

export type DispatchName = keyof typeof dispatches;
