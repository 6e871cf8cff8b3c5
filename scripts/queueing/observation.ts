/** Mean service time of every model, in nanoseconds: rounding to whole ones then costs a relative 1e-7 at most. */
export const serviceNs = 1_000_000;

/** What one run of a queueing model is asked for. */
export interface RunLength {
  /** Customers served before observation starts. */
  readonly warmUp: number;
  readonly customers: number;
}

/** What one run saw. Warm-up is left out of the means; areas and sums cover the whole run, from empty to empty. */
export interface Observation {
  readonly meanSojournNs: number;
  readonly meanInterarrivalNs: number;
  readonly meanServiceNs: number;
  /** Integral of the number in system over time, kept by the events. */
  readonly areaNs: number;
  readonly sojournSumNs: number;
  /** Integral of the number of busy servers over time, kept by the events. */
  readonly busyNs: number;
  readonly serviceSumNs: number;
  readonly endNs: number;
}

/** Collects the observation of one run. Sums of whole nanoseconds, exact below 2^53. */
export class Observer {
  private readonly run: RunLength;
  private arrivals = 0;
  private departures = 0;
  private inSystem = 0;
  private busy = 0;
  private lastNs = 0;
  private firstCountedNs = 0;
  private lastArrivalNs = 0;
  private countedServiceNs = 0;
  private countedSojournNs = 0;
  private areaNs = 0;
  private busyNs = 0;
  private serviceSumNs = 0;
  private sojournSumNs = 0;

  constructor(run: RunLength) {
    this.run = run;
  }

  /** Whether customers still have to arrive. */
  get expectsMore(): boolean {
    return this.arrivals < this.run.warmUp + this.run.customers;
  }

  arrived(atNs: number): void {
    this.advance(atNs);
    this.inSystem += 1;
    if (this.arrivals++ === this.run.warmUp) this.firstCountedNs = atNs;
    this.lastArrivalNs = atNs;
  }

  /** A server starts work of `workNs`; `customer` counts arrivals from 0. */
  started(atNs: number, workNs: number, customer: number): void {
    this.advance(atNs);
    this.busy += 1;
    this.joined(workNs, customer);
  }

  /** Work of `workNs` joins a server that is busy already. */
  joined(workNs: number, customer: number): void {
    this.serviceSumNs += workNs;
    if (customer >= this.run.warmUp) this.countedServiceNs += workNs;
  }

  finished(atNs: number): void {
    this.advance(atNs);
    this.busy -= 1;
  }

  departed(atNs: number, arrivedNs: number): void {
    this.advance(atNs);
    this.inSystem -= 1;
    this.sojournSumNs += atNs - arrivedNs;
    if (this.departures++ >= this.run.warmUp) this.countedSojournNs += atNs - arrivedNs;
  }

  observation(): Observation {
    const { customers } = this.run;
    return {
      meanSojournNs: this.countedSojournNs / customers,
      meanInterarrivalNs: (this.lastArrivalNs - this.firstCountedNs) / (customers - 1),
      meanServiceNs: this.countedServiceNs / customers,
      areaNs: this.areaNs,
      sojournSumNs: this.sojournSumNs,
      busyNs: this.busyNs,
      serviceSumNs: this.serviceSumNs,
      endNs: this.lastNs,
    };
  }

  private advance(atNs: number): void {
    this.areaNs += this.inSystem * (atNs - this.lastNs);
    this.busyNs += this.busy * (atNs - this.lastNs);
    this.lastNs = atNs;
  }
}

/** A first-in-first-out line of times, doubling when full. */
export class Line {
  private times = new Float64Array(1024);
  private head = 0;
  private tail = 0;

  get length(): number {
    return this.tail - this.head;
  }

  put(atNs: number): void {
    if (this.tail - this.head === this.times.length) {
      const larger = new Float64Array(this.times.length * 2);
      for (let i = this.head; i < this.tail; i++) larger[i & (larger.length - 1)] = this.times[i & (this.times.length - 1)]!;
      this.times = larger;
    }
    this.times[this.tail++ & (this.times.length - 1)] = atNs;
  }

  take(): number {
    return this.times[this.head++ & (this.times.length - 1)]!;
  }
}
