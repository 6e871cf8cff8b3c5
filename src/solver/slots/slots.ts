import type { Optimisation } from "../solver.ts";
import { byGain } from "./by-gain.ts";
import { byLayer } from "./by-layer.ts";
import { freeMisses, missesOf, type SlotProblem, type Slots, slotProblems, slotViolation } from "./slot-problem.ts";

/** Slots over layers: see {@link SlotProblem}. */
export const slotsOverLayers: Optimisation<SlotProblem, Slots> = {
  name: "slots over layers",
  solvers: { dp: byLayer, greedy: byGain },
  preferred: () => "dp",
  problems: slotProblems,
  objective: missesOf,
  violation: slotViolation,
  lowerBound: freeMisses,
};
