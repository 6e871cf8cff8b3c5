import { z } from "zod";
import type { ParameterValues } from "../../core/parameters.ts";
import { quantity, share } from "../../core/quantity.ts";
import type { Scaler, ScalingPolicy, ScalingTiming, ScalingView } from "./scaling.ts";
import { Stabilised } from "./stabilised.ts";
import { TrendForecast } from "./trend-forecast.ts";

const parameters = {
  capacity: z
    .number()
    .positive()
    .max(1e12)
    .optional()
    .describe(
      "Prompt and output tokens per second that a replica takes; default those that arrived so far per second of a replica's steps.",
    ),
  target: share()
    .refine((value) => value > 0, { error: "a share above 0" })
    .default(0.8)
    .describe("Share of its capacity that a replica should be given."),
  ahead: quantity("duration", "zero")
    .optional()
    .describe("How far the forecast looks; default until a replica serves that starts when the policy is next asked."),
  level: share().default(0.2).describe("Weight of the last rate in the smoothed one."),
  trend: share().default(0.1057).describe("Weight of the last change of the smoothed rate in the smoothed change."),
  season: quantity("duration")
    .optional()
    .describe("After this long, such as 24h, the change is that of the season before. Default no season."),
  stabilisation: quantity("duration", "zero")
    .default(300e9)
    .describe("Replicas are taken away only down to the most that were wanted in this last time."),
};
type Values = ParameterValues<typeof parameters>;

/**
 * Replicas for the rate that is forecast for when a replica would serve: predicted load over the capacity of a replica, as
 * NVIDIA Dynamo's planner scales by throughput (docs.nvidia.com/dynamo, Planner Design), and at least those for the rate
 * of now, as predictive autoscaling of Google Compute Engine has it. Its predictors (ARIMA, Kalman, Prophet) are replaced by
 * Holt's linear trend; corrections by measured latency are left out. A backlog asks for nothing.
 */
class PredictiveScaler implements Scaler {
  readonly #values: Values;
  readonly #forecast: TrendForecast;
  readonly #stabilised: Stabilised;
  #askedNs = 0;
  #tokens = 0;
  #busyS = 0;

  constructor(values: Values, { everyNs, startupNs }: ScalingTiming) {
    this.#values = values;
    const { level, trend, ahead = startupNs + everyNs, season, stabilisation } = values;
    const seasonTicks = season === undefined ? null : Math.max(1, Math.round(season / everyNs));
    this.#forecast = new TrendForecast({ level, trend, ahead: Math.ceil(ahead / everyNs), season: seasonTicks });
    this.#stabilised = new Stabilised(stabilisation);
  }

  replicas(view: ScalingView): number {
    const { atNs, starting, serving, draining, arrivedTokens, busy } = view;
    const up = starting + serving;
    const spanS = (atNs - this.#askedNs) / 1e9;
    this.#askedNs = atNs;
    this.#tokens += arrivedTokens;
    this.#busyS += busy * (serving + draining) * spanS;
    // At the first arrival no time has passed.
    if (spanS > 0) this.#forecast.observe(arrivedTokens / spanS);
    const capacity = this.#values.capacity ?? (this.#busyS > 0 ? this.#tokens / this.#busyS : null);
    const rate = this.#forecast.most();
    const known = rate !== null && capacity !== null && capacity > 0;
    const wanted = known ? Math.ceil(rate / (capacity * this.#values.target)) : up;
    return this.#stabilised.hold(atNs, up, wanted);
  }
}

export const predictive: ScalingPolicy<typeof parameters> = {
  name: "predictive",
  rule: "As many replicas as take the tokens per second that are forecast for when a new one would serve.",
  parameters,
  create: (values, timing) => new PredictiveScaler(values, timing),
};
