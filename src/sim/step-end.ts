import type { LogHistogram } from "../core/histogram.ts";
import type { DpRank, RankStep } from "./dp-rank.ts";
import type { LawCounter } from "./outcome/law-counter.ts";
import type { RequestState } from "./request-state.ts";
import type { Speculation } from "./speculation.ts";

/** What becomes of a request at the end of a step. */
export interface RequestEnds {
  /** Its last token is emitted. */
  complete(request: number, dpRank: DpRank, atNs: number): void;
  /** Its prompt is computed up to `done` tokens, in a pool that does nothing else. */
  computed(request: number, done: number, atNs: number): void;
}

/** How a pool treats the requests of its steps. */
export interface StepOutcome {
  /** null without speculative decoding. */
  readonly speculation: Speculation | null;
  readonly prefixCaching: boolean;
  /** Whether answers are shared with the turns of their conversations that follow. */
  readonly sharesAnswers: boolean;
  /** Whether another pool goes on with a request once its prompt is computed. */
  readonly handsOver: boolean;
  /** Whether a request emits its first token before it leaves. */
  readonly emitsFirst: boolean;
  /** Whether the prompt is only read to choose a model: it is computed again by that. */
  readonly onlyReads: boolean;
}

/** Books what a step has computed: tokens of requests, their times, prefixes that others can share. */
export class StepEnd {
  outputTokens = 0;
  promptTokensComputed = 0;
  /** Tokens emitted since the caller last cleared it. */
  newTokens = 0;
  private readonly state: RequestState;
  private readonly itl: LogHistogram;
  private readonly laws: LawCounter;
  private readonly warmupRequests: number;
  private readonly ends: RequestEnds;

  constructor(state: RequestState, itl: LogHistogram, laws: LawCounter, warmupRequests: number, ends: RequestEnds) {
    this.state = state;
    this.itl = itl;
    this.laws = laws;
    this.warmupRequests = warmupRequests;
    this.ends = ends;
  }

  /** The share of one data-parallel rank. */
  finish(part: RankStep, dpRank: DpRank, outcome: StepOutcome, atNs: number): void {
    const { state, itl, ends } = this;
    let dropped = 0;
    let gapNs = -1;
    let gaps = 0;
    for (let i = 0; i < part.count; i++) {
      const request = part.requests[i]!;
      const tokens = part.tokens[i]!;
      state.inStep[request] = 0;
      const before = state.computed[request]!;
      const done = before + tokens;
      state.computed[request] = done;
      const prompt = state.promptTokens[request]!;
      if (before < prompt) {
        // A recomputed request's chunk may go past its prompt.
        if (!outcome.onlyReads) this.promptTokensComputed += Math.min(done, prompt) - before;
        if (outcome.prefixCaching) dpRank.kv.publish(request, done, prompt);
      }
      const drafts = done - state.known(request);
      const leaves = outcome.handsOver && drafts === 0 && (!outcome.emitsFirst || state.outputTokens[request]! > 1);
      if (drafts >= 0 && (!leaves || outcome.emitsFirst)) {
        const emitted = drafts === 0 ? 1 : this.verify(request, drafts, outcome.speculation!);
        const generated = state.generated[request]! + emitted;
        state.generated[request] = generated;
        this.outputTokens += emitted;
        this.newTokens += emitted;
        if (generated === 1) state.firstTokenNs[request] = atNs;
        else if (request >= this.warmupRequests) {
          // Sequences that decode together share a gap: count runs of equal gaps once. Tokens of one step share its gap.
          const stepGap = atNs - state.lastTokenNs[request]!;
          const gap = emitted === 1 ? stepGap : stepGap / emitted;
          if (gap !== gapNs) {
            if (gaps > 0) itl.record(gapNs, gaps);
            gapNs = gap;
            gaps = 0;
          }
          gaps += emitted;
        }
        state.lastTokenNs[request] = atNs;
        if (generated === state.outputTokens[request]!) {
          if (outcome.sharesAnswers) dpRank.kv.publish(request, state.computed[request]!, state.computed[request]!);
          ends.complete(request, dpRank, atNs);
          dropped++;
        }
      }
      if (leaves) {
        state.leaving[request] = 1;
        dropped++;
      }
      if (outcome.handsOver) ends.computed(request, done, atNs);
    }
    if (gaps > 0) itl.record(gapNs, gaps);
    if (dropped > 0) dpRank.compact();
    dpRank.kv.check();
    this.laws.count("kv-block-conservation");
  }

  /** A request emits its first token between two steps: it came with the KV cache. */
  emitFirst(request: number, atNs: number): void {
    const { state } = this;
    state.generated[request] = 1;
    state.firstTokenNs[request] = state.lastTokenNs[request] = atNs;
    this.outputTokens++;
    this.newTokens++;
  }

  /** Tokens that a sequence emits after verifying `drafts` draft tokens; only their keys and values stay. */
  private verify(request: number, drafts: number, speculation: Speculation): number {
    const { state } = this;
    const generated = state.generated[request]!;
    const accepted = speculation.verify(request, generated, drafts);
    const emitted = Math.min(1 + accepted, state.outputTokens[request]! - generated);
    state.computed[request]! -= 1 + drafts - emitted;
    return emitted;
  }
}
