import type { Scaler, ScalingPolicy } from "../../../src/policy/scaling/scaling.ts";
import { scalings } from "../../../src/policy/scaling/scalings.ts";
import { schedule } from "../../../src/policy/scaling/schedule.ts";
import type { ScalingConfig } from "../../../src/sim/config.ts";

/** Scaling by a policy of its own. */
export function scalingBy(
  replicas: Scaler["replicas"],
  parts: Partial<ScalingConfig> = {},
  watches = false,
): ScalingConfig {
  const policy: ScalingPolicy = {
    ...schedule,
    name: "test",
    parameters: {},
    create: () => ({ replicas }),
    ...(watches ? { watchesLatencies: true } : {}),
  };
  return { policy, values: {}, atStart: 1, min: 1, everyNs: 1e6, startupNs: 5e6, ...parts };
}

/** Scaling by a policy of the table. */
export const scalingOf = (
  name: keyof typeof scalings,
  values: ScalingConfig["values"],
  parts: Partial<ScalingConfig> = {},
): ScalingConfig => ({
  policy: scalings[name],
  values,
  atStart: 1,
  min: 1,
  everyNs: 1e6,
  startupNs: 5e6,
  ...parts,
});
