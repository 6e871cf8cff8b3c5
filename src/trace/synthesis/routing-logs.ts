/** Log weights of the generator while they are being fitted; see RoutingStatistics for what they mean. */
export interface RoutingLogs {
  /** [domain][layer] */
  readonly domains: readonly (readonly LayerLogs[])[];
  /** [layer] towards the next one; empty where layers are independent. */
  readonly lifts: readonly LogWeights[];
  /** [layer] between the experts of one token; empty where they are independent. */
  readonly pairs: readonly LogWeights[];
}

export interface LayerLogs {
  readonly base: LogWeights;
  readonly recency: LogWeights;
  readonly lead: LogWeights;
  /** One value. */
  readonly leadRepeat: LogWeights;
}

/** Weights further than e^8 from 1 do not change a draw of a few dozen experts. */
const logMax = 8;
const momentum = 0.5;

/**
 * Log weights moved by gradient steps with momentum (Polyak's heavy ball): features that act on the same experts
 * overshoot with large plain steps and crawl with small ones.
 */
export class LogWeights {
  readonly logs: Float64Array;
  readonly #velocity: Float64Array;
  readonly #bound: number;

  /** @param together how many of these weights are multiplied in one draw; their product stays a double. */
  constructor(logs: Float64Array, together = 1) {
    this.logs = logs;
    this.#bound = Math.min(logMax, 300 / together);
    this.#velocity = new Float64Array(logs.length);
  }

  move(at: number, by: number): void {
    const velocity = momentum * this.#velocity[at]! + by;
    this.#velocity[at] = velocity;
    this.logs[at] = Math.max(-this.#bound, Math.min(this.#bound, this.logs[at]! + velocity));
  }

  /** The weights themselves. */
  weights(): Float64Array {
    return this.logs.map(Math.exp);
  }
}
