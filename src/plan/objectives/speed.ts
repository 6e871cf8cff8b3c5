import { formatDuration } from "../../core/units.ts";
import { figureOf } from "./figure-of.ts";
import type { Objective } from "./objective.ts";

/** Median time of an output token, ms: what a user waits for most. */
export const speed: Objective = {
  name: "speed",
  title: "shortest time of an output token",
  text: (value) => `${formatDuration(value * 1e6)} a token`,
  bound: () => 0,
  of: (_candidate, outcome) => figureOf(outcome, "tpot.p50"),
  slack: () => 0.2,
};
