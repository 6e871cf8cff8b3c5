import type { StepInFlight } from "../../sim/replica.ts";

/** Requests that are followed over their steps. */
export const requestsMax = 64;
const pointsMax = 20_000;

/** A request, and the steps that it was in: the track of each, and when it began, ns after the first arrival. */
export interface RequestFlow {
  readonly request: number;
  readonly tracks: readonly number[];
  readonly atNs: readonly number[];
}

/** Follows the first requests that are in a step. */
export class RequestFlows {
  private readonly flows = new Map<number, { request: number; tracks: number[]; atNs: number[] }>();
  private points = 0;

  /** A step begins. */
  add({ parts }: StepInFlight, track: number, atNs: number): void {
    for (const { requests, count } of parts)
      for (let i = 0; i < count; i++) {
        if (this.points === pointsMax) return;
        const flow = this.flowOf(requests[i]!);
        if (flow === undefined) continue;
        flow.tracks.push(track);
        flow.atNs.push(atNs);
        this.points++;
      }
  }

  /** In the order of the requests. */
  all(): RequestFlow[] {
    return [...this.flows.values()].sort((a, b) => a.request - b.request);
  }

  private flowOf(request: number) {
    const known = this.flows.get(request);
    if (known !== undefined || this.flows.size === requestsMax) return known;
    const flow = { request, tracks: [], atNs: [] };
    this.flows.set(request, flow);
    return flow;
  }
}
