import { cost } from "./cost.ts";
import { devices } from "./devices.ts";
import { energy } from "./energy.ts";
import { goodput } from "./goodput.ts";
import type { Objective } from "./objective.ts";

/** Objectives that rank deployments at the load of the scenario. */
export const objectives = { cost, devices, energy, goodput } as const satisfies Record<string, Objective>;
