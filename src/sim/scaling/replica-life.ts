/** What a replica does: loads, takes requests, only finishes those that it has, or has no devices. */
export const replicaStates = ["starting", "serving", "draining", "off"] as const;
export type ReplicaState = (typeof replicaStates)[number];

/** The states that a replica goes through, and the time in each. */
export class ReplicaLife {
  state: ReplicaState;
  /** When it serves, where it starts, ns. */
  readyNs: number;
  private sinceNs = 0;
  private readonly spentNs: Record<ReplicaState, number> = { starting: 0, serving: 0, draining: 0, off: 0 };

  /** @param readyNs when it serves, ns: from the start on at 0; Infinity: it is off at first. */
  constructor(readyNs: number) {
    this.state = readyNs === 0 ? "serving" : readyNs === Number.POSITIVE_INFINITY ? "off" : "starting";
    this.readyNs = readyNs;
  }

  enter(state: ReplicaState, atNs: number): void {
    this.spentNs[this.state] += atNs - this.sinceNs;
    this.state = state;
    this.sinceNs = atNs;
  }

  /** Time in a state up to `atNs`, ns. */
  ns(state: ReplicaState, atNs: number): number {
    return this.spentNs[state] + (state === this.state ? atNs - this.sinceNs : 0);
  }

  /** Time with devices up to `atNs`, ns. */
  onNs(atNs: number): number {
    return this.ns("starting", atNs) + this.ns("serving", atNs) + this.ns("draining", atNs);
  }
}
