/**
 * The processes of a replica that take requests in and tokenise them: API servers, tokeniser workers. Each serves one
 * request after the other. A request goes to the one that is free first; of equal ones, to the first.
 */
export class FrontEnds {
  /** [front ends] time spent on tokenising, ns. */
  readonly busyNs: Float64Array;
  /** Time that requests waited for their turn, summed, ns. */
  waitNs = 0;
  /** Time at which the last request taken in gets its turn, ns. */
  turnNs = 0;
  /** Requests taken in that the scheduler has not taken over yet, and their prompt and output tokens. */
  outstanding = 0;
  outstandingTokens = 0;
  private readonly freeNs: Float64Array;

  constructor(count: number) {
    this.busyNs = new Float64Array(count);
    this.freeNs = new Float64Array(count);
  }

  /** Takes in a request of `tokens` prompt and output tokens. Tokenising it lasts `serviceNs`; returns its end, ns. */
  accept(atNs: number, serviceNs: number, tokens: number): number {
    const { freeNs } = this;
    let first = 0;
    for (let i = 1; i < freeNs.length; i++) if (freeNs[i]! < freeNs[first]!) first = i;
    this.turnNs = Math.max(freeNs[first]!, atNs);
    freeNs[first] = this.turnNs + serviceNs;
    this.busyNs[first]! += serviceNs;
    this.waitNs += this.turnNs - atNs;
    this.outstanding++;
    this.outstandingTokens += tokens;
    return freeNs[first]!;
  }

  /** The scheduler takes a request over. */
  handOver(tokens: number): void {
    this.outstanding--;
    this.outstandingTokens -= tokens;
  }
}
