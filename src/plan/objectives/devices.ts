import { formatCount } from "../../core/units.ts";
import type { Objective } from "./objective.ts";

export const devices: Objective = {
  name: "devices",
  title: "fewest devices",
  text: (value) => `${formatCount(value)} device${value === 1 ? "" : "s"}`,
  bound: (candidate) => candidate.devices,
  of: (candidate) => candidate.devices,
  slack: () => 0,
};
