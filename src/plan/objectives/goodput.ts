import { formatPercent } from "../../core/units.ts";
import { figureOf } from "./figure-of.ts";
import type { Objective } from "./objective.ts";

/** Requests that break a limit of `slo.perRequest`, as a share: the least is the highest goodput. */
export const goodput: Objective = {
  name: "goodput",
  title: "highest goodput",
  text: (value) => `goodput ${formatPercent(1 - value, 2)}`,
  bound: () => 0,
  of: (_candidate, outcome) => {
    const share = figureOf(outcome, "goodput");
    return share === null ? null : 1 - share;
  },
  slack: () => 0.5,
};
