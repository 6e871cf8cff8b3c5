/**
 * Where requests wait that the front ends of a replica have handed over, until its scheduler looks for new ones. It looks
 * after every `interval` steps without prompts and after each step with some. A scheduler that forms a step while the one
 * before runs looks when a step begins, for the next: a request then waits for the step in flight and one more.
 */
export class RequestIntake {
  readonly ahead: boolean;
  private readonly interval: number;
  private readonly requests: number[] = [];
  private stepsSince = 0;

  constructor(interval: number, ahead: boolean) {
    this.interval = interval;
    this.ahead = ahead;
  }

  /** Whether requests pass a busy scheduler at once: every step sees all that has arrived before it. */
  get open(): boolean {
    return this.interval === 1 && !this.ahead;
  }

  get size(): number {
    return this.requests.length;
  }

  push(request: number): void {
    this.requests.push(request);
  }

  /** A step begins. */
  countStep(prompts: boolean): void {
    this.stepsSince += prompts ? this.interval : 1;
  }

  /** Whether the scheduler looks for requests now. */
  due(): boolean {
    if (this.stepsSince < this.interval) return false;
    this.stepsSince = 0;
    return true;
  }

  /** Takes all requests, in the order they came. */
  take(): number[] {
    return this.requests.splice(0);
  }
}
