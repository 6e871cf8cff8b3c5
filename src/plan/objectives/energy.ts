import { formatNumber } from "../../core/units.ts";
import { figureOf } from "./figure-of.ts";
import type { Objective } from "./objective.ts";

/** Joules of the devices per output token. A deployment takes its idle power at least, for the tokens that are offered. */
export const energy: Objective = {
  name: "energy",
  title: "least energy",
  text: (value) => `${formatNumber(value)} J/tok`,
  bound: ({ devices, site }, { ratePerSecond, outputTokens }) =>
    ratePerSecond === null ? 0 : ((site.node.device.idlePowerW ?? 0) * devices) / (ratePerSecond * outputTokens),
  of: (_candidate, outcome) => figureOf(outcome, "joulesPerOutputToken"),
  slack: () => 0.2,
};
