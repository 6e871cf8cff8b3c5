import { firstFree } from "../core/first-free.ts";
import { Resource } from "../core/resource.ts";

/**
 * The processes of a replica that take requests in and tokenise them: API servers, tokeniser workers. Each serves one
 * request after the other. A request goes to the one that is free first; of equal ones, to the first.
 */
export class FrontEnds {
  /** Time at which the last request taken in gets its turn, ns. */
  turnNs = 0;
  /** Requests taken in that the scheduler has not taken over yet, and their prompt and output tokens. */
  outstanding = 0;
  outstandingTokens = 0;
  readonly servers: readonly Resource[];

  constructor(count: number) {
    this.servers = Array.from({ length: count }, () => new Resource());
  }

  /** [front ends] time spent on tokenising, ns. */
  get busyNs(): number[] {
    return this.servers.map(({ busyNs }) => busyNs);
  }

  /** Time that requests waited for their turn, summed, ns. */
  get waitNs(): number {
    return this.servers.reduce((sum, { waitNs }) => sum + waitNs, 0);
  }

  /** Takes in a request of `tokens` prompt and output tokens. Tokenising it lasts `serviceNs`; returns its end, ns. */
  accept(atNs: number, serviceNs: number, tokens: number): number {
    const server = firstFree(this.servers, atNs);
    this.turnNs = server.beginNs(atNs);
    this.outstanding++;
    this.outstandingTokens += tokens;
    return server.demand(atNs, serviceNs, 0);
  }

  /** The scheduler takes a request over. */
  handOver(tokens: number): void {
    this.outstanding--;
    this.outstandingTokens -= tokens;
  }
}
