import type { ExpertParts } from "../../engine/offload-flags/expert-parts.ts";
import type { GroupedGemmOp } from "../../hardware/op.ts";
import type { FeedForwardProgram } from "./feed-forward-program.ts";
import type { HostExpertTime } from "./host-expert-time.ts";
import { conditionsCount, type RecentTimes, type TimesPage } from "./recent-times.ts";
import type { ServedKernels } from "./served-kernels.ts";

type MoeProgram = FeedForwardProgram & { readonly kind: "moe" };

/** Layouts of tokens by number. */
const layouts = { none: 0, contiguous: 1, masked: 2 } as const;

/** Times the routed experts of one layer call in a step, on the device, behind a cache or on the host's processors. */
export class ExpertTime {
  private readonly served: ServedKernels;
  private readonly ranks: number;
  private readonly host: HostExpertTime | null;
  private program: MoeProgram | null = null;
  private presentedPairs = 0;
  private halves = false;
  private sent: GroupedGemmOp["sent"];
  private prompts = false;
  private onHost = false;
  private page: TimesPage | null = null;
  private turn = 0;
  private readonly conditions = new Float64Array(conditionsCount);

  constructor(served: ServedKernels, ranks: number, host: HostExpertTime | null = null) {
    this.served = served;
    this.ranks = ranks;
    this.host = host;
  }

  /**
   * Sets the call to time. `presentedPairs` pass the kernel of every rank, where all ranks are given all tokens.
   * `halves`: the step runs as two half batches. `sent`: the layout of tokens that were sent to kernels made for it.
   * `prompts`: the step computes prompts. Such a step hardly comes again, so its times are not kept. `onHost`: the tokens are
   * on the host, and stay there.
   */
  begin(
    program: MoeProgram,
    presentedPairs: number,
    halves: boolean,
    sent: GroupedGemmOp["sent"],
    prompts: boolean,
    onHost = false,
  ): void {
    this.onHost = onHost;
    this.program = program;
    this.presentedPairs = presentedPairs;
    this.halves = halves;
    this.sent = sent;
    this.prompts = prompts;
    this.takePage();
  }

  /** Time of experts that one kernel computes, ns. */
  togetherNs(pairs: number, distinct: number): number {
    // Another step that is under way shares the pages.
    if (this.page !== null && this.page.turn !== this.turn) this.takePage();
    return this.ns(this.page, pairs, distinct, this.presentedPairs, this.sent);
  }

  /** Time of one expert by a kernel of its own, ns. The kernel is given its tokens alone. */
  aloneNs(pairs: number): number {
    return this.ns(this.pageOf(this.program!.recent.alone, 0, undefined), pairs, 1, 0, undefined);
  }

  /** Time of one expert on the host's processors, ns. */
  hostNs(pairs: number): number {
    return this.host!.expertNs(this.program!, pairs);
  }

  /** Time of the call on the host beside its experts, ns: until it begins, and from its end until the device has the result. */
  hostBeginNs(tokens: number): number {
    return this.onHost ? this.host!.launchNs : this.host!.beginNs(this.program!, tokens);
  }

  hostEndNs(tokens: number): number {
    return this.onHost ? 0 : this.host!.endNs(this.program!, tokens);
  }

  partsBeginNs(parts: ExpertParts, tokens: number, pairs: number): number {
    return this.host!.partsBeginNs(this.program!, parts, tokens, pairs);
  }

  partsEndNs(parts: ExpertParts, tokens: number, pairs: number): number {
    return this.host!.crossingsNs(this.program!, parts, parts.after, tokens, pairs);
  }

  private takePage(): void {
    this.page = this.pageOf(this.program!.recent.together, this.presentedPairs, this.sent);
    if (this.page !== null) this.turn = this.page.turn;
  }

  private pageOf(recent: RecentTimes, presentedPairs: number, sent: GroupedGemmOp["sent"]): TimesPage | null {
    if (this.prompts) return null;
    const { conditions, served } = this;
    conditions[0] = presentedPairs;
    conditions[1] = 2 * layouts[sent ?? "none"] + (this.halves ? 1 : 0);
    conditions[2] = served.excessFactor;
    conditions[3] = served.hiddenShare;
    conditions[4] = served.productShare;
    return recent.page(conditions);
  }

  private ns(
    page: TimesPage | null,
    pairs: number,
    distinct: number,
    presentedPairs: number,
    sent: GroupedGemmOp["sent"],
  ): number {
    const parts = this.halves ? 2 : 1;
    if (page !== null) {
      const known = page.get(pairs, distinct);
      if (!Number.isNaN(known)) return known * parts;
    }
    const { experts: op, moe } = this.program!;
    op.pairs = pairs;
    op.distinctExperts = distinct;
    op.presentedPairs = presentedPairs;
    op.sent = sent;
    if (this.halves) halve(op, moe.experts / this.ranks);
    const ns = this.served.opNs(op);
    page?.put(pairs, distinct, ns);
    return ns * parts;
  }
}

/** The work of half the tokens. Two independent halves together touch as many distinct experts as the whole batch. */
function halve(op: GroupedGemmOp, experts: number): void {
  op.pairs /= 2;
  op.presentedPairs /= 2;
  op.distinctExperts = experts * (1 - Math.sqrt(1 - Math.min(1, op.distinctExperts / experts)));
}
