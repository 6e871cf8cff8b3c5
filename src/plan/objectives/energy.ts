import { formatNumber } from "../../core/units.ts";
import { figureOf } from "./figure-of.ts";
import type { Objective } from "./objective.ts";

/** Joules of the devices per output token. A deployment takes its idle power at least, for the tokens that are offered. */
export const energy: Objective = {
  name: "energy",
  title: "least energy",
  text: (value) => `${formatNumber(value)} J/tok`,
  bound: ({ devices, site }, { requests, ratePerSecond, outputTokens }) => {
    if (ratePerSecond === null) return 0;
    const seconds = (requests.count - 1) / ratePerSecond;
    return ((site.node.device.idlePowerW ?? 0) * devices * seconds) / (requests.count * outputTokens);
  },
  of: (_candidate, outcome) => figureOf(outcome, "joulesPerOutputToken"),
  slack: () => 0.2,
};
