import { expect } from "vitest";
import type { Scaler, ScalingPolicy } from "../../../src/policy/scaling/scaling.ts";
import { scalings } from "../../../src/policy/scaling/scalings.ts";
import { schedule } from "../../../src/policy/scaling/schedule.ts";
import type { ScalingConfig } from "../../../src/sim/config.ts";
import type { PoolResult } from "../../../src/sim/result.ts";

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

/** The replicas over time add up to the time that was spent in each state. */
export function judgeChanges({ scaling, stateNs }: Pick<PoolResult, "scaling" | "stateNs">, endNs: number): void {
  const { changes, mostUp } = scaling!;
  const spent = { starting: 0, serving: 0, draining: 0 };
  for (const [i, change] of changes.entries()) {
    const untilNs = changes[i + 1]?.atNs ?? endNs;
    if (i > 0) expect(change.atNs).toBeGreaterThan(changes[i - 1]!.atNs);
    for (const state of ["starting", "serving", "draining"] as const)
      spent[state] += change[state] * (untilNs - change.atNs);
  }
  const { off: _off, ...others } = stateNs;
  expect(spent).toEqual(others);
  // Replicas that are up for no time at all are counted in `mostUp` alone.
  expect(Math.max(...changes.map(({ starting, serving }) => starting + serving))).toBeLessThanOrEqual(mostUp);
}
