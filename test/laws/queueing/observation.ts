/** Mean service time of every model, in nanoseconds: rounding to whole ones then costs a relative 1e-7 at most. */
export const serviceNs = 1_000_000;

/** What one run of a queueing model is asked for. */
export interface RunLength {
  /** Customers served before observation starts. */
  readonly warmUp: number;
  readonly customers: number;
}

/** What one run saw. Means leave the warm-up out; areas and sums cover the whole run, from empty to empty. */
export interface Observation {
  readonly meanSojournNs: number;
  /** Means of the control variates: each has expectation 0 in any queue that cannot see the future. */
  readonly controls: readonly number[];
  /** Integral of the number in system over time, kept by the events. */
  readonly areaNs: number;
  readonly sojournSumNs: number;
  /** Integral of the number of busy servers over time, kept by the events. */
  readonly busyNs: number;
  readonly workSumNs: number;
  readonly customers: number;
  readonly endNs: number;
}

/**
 * Collects the observation of one run; sums of whole nanoseconds are exact below 2^53.
 *
 * Control variates: a model reports every random time it draws, relative to its mean, as a surplus over 1, and the
 * state it is in then. Surplus and surplus times state have expectation 0 because a draw is independent of everything
 * before it, and most of the variance of the mean sojourn is a linear combination of their sums.
 */
export class Observer {
  private readonly run: RunLength;
  private readonly controls: Float64Array;
  private arrivals = 0;
  private departures = 0;
  private inSystem = 0;
  private busy = 0;
  private lastNs = 0;
  private countedSojournNs = 0;
  private areaNs = 0;
  private busyNs = 0;
  private workSumNs = 0;
  private sojournSumNs = 0;

  constructor(run: RunLength, controls: number) {
    this.run = run;
    this.controls = new Float64Array(2 * controls);
  }

  /** Whether customers still have to arrive. */
  get expectsMore(): boolean {
    return this.arrivals < this.run.warmUp + this.run.customers;
  }

  /** Customers that have arrived. */
  get arrived(): number {
    return this.arrivals;
  }

  /** The draw for a customer (counted from 0) was `surplus` above its expectation, in state `state`. */
  drew(control: number, customer: number, surplus: number, state: number): void {
    if (customer < this.run.warmUp) return;
    this.controls[2 * control]! += surplus;
    this.controls[2 * control + 1]! += surplus * state;
  }

  arrive(atNs: number): void {
    this.advance(atNs);
    this.inSystem += 1;
    this.arrivals += 1;
  }

  depart(atNs: number, arrivedNs: number): void {
    this.advance(atNs);
    this.inSystem -= 1;
    this.sojournSumNs += atNs - arrivedNs;
    if (this.departures++ >= this.run.warmUp) this.countedSojournNs += atNs - arrivedNs;
  }

  /** A customer brings work. */
  bring(workNs: number): void {
    this.workSumNs += workNs;
  }

  /** A server starts (+1) or stops (-1) working. */
  work(atNs: number, change: number): void {
    this.advance(atNs);
    this.busy += change;
  }

  observation(): Observation {
    const { customers } = this.run;
    return {
      meanSojournNs: this.countedSojournNs / customers,
      controls: Array.from(this.controls, (sum) => sum / customers),
      areaNs: this.areaNs,
      sojournSumNs: this.sojournSumNs,
      busyNs: this.busyNs,
      workSumNs: this.workSumNs,
      customers: this.arrivals,
      endNs: this.lastNs,
    };
  }

  private advance(atNs: number): void {
    this.areaNs += this.inSystem * (atNs - this.lastNs);
    this.busyNs += this.busy * (atNs - this.lastNs);
    this.lastNs = atNs;
  }
}
