import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";

/** Latencies that a pool has shown since its policy was last asked. Times count from the arrival at the deployment. */
export interface RecentLatencies {
  /** TTFT of the requests whose first token came, ns. */
  readonly ttftNs: readonly number[];
  /** Mean time per output token after the first, of the requests that completed with more than one, ns. */
  readonly tpotNs: readonly number[];
  /** How long the requests have waited that have no first token yet, ns. */
  readonly awaitingNs: readonly number[];
}

/** What a scaling policy sees of its pool when it is asked. Requests are those of replicas that start or serve. */
export interface ScalingView {
  readonly atNs: number;
  /** Replicas by state; the first two are up. */
  readonly starting: number;
  readonly serving: number;
  readonly draining: number;
  readonly off: number;
  /** Requests without a step so far, in front ends or queues, and requests that run. */
  readonly waiting: number;
  readonly running: number;
  /** Prompt and output tokens of both. */
  readonly outstandingTokens: number;
  /** Share in use of the fullest KV pool, over all replicas that serve. */
  readonly kvUse: number;
  /** Share of the time since the policy was last asked that replicas stepped, over those that served or drained. */
  readonly busy: number;
  /** Requests that the router gave to the pool since the policy was last asked, and their prompt and output tokens. */
  readonly arrivedRequests: number;
  readonly arrivedTokens: number;
  /** null where the policy does not watch them. */
  readonly latencies: RecentLatencies | null;
}

/** How often a policy is asked, and how long a new replica takes to serve, ns. */
export interface ScalingTiming {
  readonly everyNs: number;
  readonly startupNs: number;
}

/** Decides over the replicas of one pool. It is asked in order of time. */
export interface Scaler {
  /** How many replicas should be up. Whoever asks holds the answer between the fewest and the most. */
  replicas(view: ScalingView): number;
}

/** A scaling policy: one file each, listed in `scalings.ts`. */
export interface ScalingPolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly parameters: Shape;
  /** Whether it looks at latencies, which are collected for it alone. Absent: it does not. */
  readonly watchesLatencies?: true;
  /** Replicas that the values ask for by number, whatever the load; absent: none. */
  stated?(values: ParameterValues<Shape>): readonly number[];
  /** Absent: its parameters cannot contradict one another. */
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  create(values: ParameterValues<Shape>, timing: ScalingTiming): Scaler;
}
