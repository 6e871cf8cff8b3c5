import type { RecentLatencies, ScalingView } from "../../policy/scaling/scaling.ts";
import type { RequestState } from "../request-state.ts";
import { requestStatus } from "../result.ts";

/** Requests that a pool is given, as its scaling policy is told of them: those since it was last asked. */
export class RequestWatch {
  private readonly state: RequestState;
  /** Whether latencies are looked at; without, requests are only counted. */
  private readonly latencies: boolean;
  private requests = 0;
  private tokens = 0;
  /** Requests without a first token, and those that have one and go on. */
  private awaiting: number[] = [];
  private decoding: number[] = [];

  constructor(state: RequestState, latencies: boolean) {
    this.state = state;
    this.latencies = latencies;
  }

  /** The router gives a request to the pool; it is `tokens` of load there. */
  given(request: number, tokens: number): void {
    this.requests++;
    this.tokens += tokens;
    if (this.latencies) this.awaiting.push(request);
  }

  /** What has happened since this was last called. */
  take(atNs: number): Pick<ScalingView, "arrivedRequests" | "arrivedTokens" | "latencies"> {
    const taken = { arrivedRequests: this.requests, arrivedTokens: this.tokens };
    this.requests = this.tokens = 0;
    return { ...taken, latencies: this.latencies ? this.look(atNs) : null };
  }

  private look(atNs: number): RecentLatencies {
    const { status, arrivalNs, firstTokenNs, lastTokenNs, outputTokens } = this.state;
    const ttftNs: number[] = [];
    const tpotNs: number[] = [];
    const awaitingNs: number[] = [];
    this.awaiting = this.awaiting.filter((request) => {
      if (status[request] === requestStatus.rejected) return false;
      const waits = Number.isNaN(firstTokenNs[request]!);
      (waits ? awaitingNs : ttftNs).push((waits ? atNs : firstTokenNs[request]!) - arrivalNs[request]!);
      if (!waits) this.decoding.push(request);
      return waits;
    });
    this.decoding = this.decoding.filter((request) => {
      if (status[request] !== requestStatus.completed) return true;
      const gaps = outputTokens[request]! - 1;
      if (gaps > 0) tpotNs.push((lastTokenNs[request]! - firstTokenNs[request]!) / gaps);
      return false;
    });
    return { ttftNs, tpotNs, awaitingNs };
  }
}
