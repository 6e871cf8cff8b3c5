import { z } from "zod";
import type { ParameterValues, Parameters as Shape } from "../../../src/core/parameters.ts";
import type { Scaler, ScalingPolicy, ScalingView } from "../../../src/policy/scaling/scaling.ts";

/** What a policy sees of a pool with one replica and nothing to do. */
export const view = (parts: Partial<ScalingView>): ScalingView => ({
  atNs: 0,
  starting: 0,
  serving: 1,
  draining: 0,
  off: 0,
  waiting: 0,
  running: 0,
  outstandingTokens: 0,
  kvUse: 0,
  busy: 0,
  arrivedRequests: 0,
  arrivedTokens: 0,
  latencies: null,
  ...parts,
});

/** A policy with the values of a scenario, asked every second; a new replica serves after four. */
export const scalerOf = <S extends Shape>(policy: ScalingPolicy<S>, values: object): Scaler =>
  policy.create(z.strictObject(policy.parameters).parse(values) as ParameterValues<S>, {
    everyNs: 1e9,
    startupNs: 4e9,
  });
