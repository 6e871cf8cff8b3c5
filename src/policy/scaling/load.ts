import { z } from "zod";
import type { ParameterValues } from "../../core/parameters.ts";
import { quantity, share } from "../../core/quantity.ts";
import type { Scaler, ScalingPolicy, ScalingView } from "./scaling.ts";
import { Stabilised } from "./stabilised.ts";

/** What can be held at a target, summed over the replicas that serve. */
const measures = {
  requests: ({ waiting, running }) => waiting + running,
  waiting: ({ waiting }) => waiting,
  tokens: ({ outstandingTokens }) => outstandingTokens,
  kv: ({ kvUse, serving }) => kvUse * serving,
  busy: ({ busy, serving }) => busy * serving,
} as const satisfies Record<string, (view: ScalingView) => number>;
type Measure = keyof typeof measures;

/** Measures of which a replica has at most 1. */
const shares: readonly Measure[] = ["kv", "busy"];

const parameters = {
  target: z
    .number()
    .positive()
    .max(1e12)
    .describe("What a replica should have of the measure; of kv and busy a share, such as 0.8."),
  measure: z
    .enum(Object.keys(measures) as [Measure, ...Measure[]])
    .default("requests")
    .describe(
      "requests: waiting and running; waiting: those without a step so far; tokens: prompt and output tokens of both; " +
        "kv: share in use of the fullest KV pool; busy: share of the time with a step.",
    ),
  tolerance: share().default(0.1).describe("Deviations from the target up to this share change nothing."),
  stabilisation: quantity("duration", "zero")
    .default(300e9)
    .describe("Replicas are taken away only down to the most that were wanted in this last time."),
};

/**
 * The rule of the Kubernetes horizontal pod autoscaler, with its defaults: wanted = ceil(replicas x value / target), no
 * change within the tolerance, the highest recommendation of the window before scaling down
 * (kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale). Replicas that start count as having nothing. Its
 * limit on the pace of scaling up (doubled, or 4 more, every 15 s) is left out.
 */
class LoadScaler implements Scaler {
  readonly #values: ParameterValues<typeof parameters>;
  readonly #stabilised: Stabilised;

  constructor(values: ParameterValues<typeof parameters>) {
    this.#values = values;
    this.#stabilised = new Stabilised(values.stabilisation);
  }

  replicas(view: ScalingView): number {
    const { target, measure, tolerance } = this.#values;
    const up = view.starting + view.serving;
    const total = measures[measure](view);
    const ratio = total / (up * target);
    const wanted = ratio >= 1 - tolerance && ratio <= 1 + tolerance ? up : Math.ceil(total / target);
    return this.#stabilised.hold(view.atNs, up, wanted);
  }
}

export const load: ScalingPolicy<typeof parameters> = {
  name: "load",
  rule: "As many replicas as hold the load of each at a target, as the Kubernetes horizontal pod autoscaler counts them.",
  parameters,
  contradiction: ({ target, measure }) =>
    shares.includes(measure) && target > 1
      ? { key: "target", expected: `a share of at most 1, as ${measure} is` }
      : null,
  create: (values) => new LoadScaler(values),
};
