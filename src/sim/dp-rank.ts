import { holds } from "../core/errors.ts";
import type { SchedulerConfig } from "./config.ts";
import type { KvBlocks } from "./memory/kv-blocks.ts";
import { RequestQueue, type RequestState } from "./request-state.ts";
import { requestStatus } from "./result.ts";
import { addChunk, clearBatch, emptyBatch, type RankBatch } from "./step/batch.ts";

/** One data-parallel rank's share of a step. */
export interface RankStep {
  readonly batch: RankBatch;
  /** Work of a draft pass: the sequences that emit, each with one token after its last. null without drafts. */
  readonly draft: RankBatch | null;
  requests: Int32Array;
  tokens: Int32Array;
  count: number;
}

/**
 * A data-parallel rank of attention with its own queues and KV cache. It forms steps as vLLM's scheduler does: decodes
 * first, then prompts in progress, then new requests while the token budget, the sequence limit and the KV blocks
 * allow. When a decode finds no block, the youngest running request gives up its blocks and is recomputed later. With
 * speculative decoding a decode brings its draft tokens along. Room of rejected ones is kept for the next.
 */
export class DpRank {
  readonly waiting = new RequestQueue();
  /** Requests of other pools that wait for room here, in the order in which they asked. */
  readonly arriving = new RequestQueue();
  running: Int32Array;
  runningCount = 0;
  /** Requests whose KV cache comes from another pool, and those whose KV cache goes to one. They hold blocks. */
  reserved = 0;
  leaving = 0;
  /** Prompt and output tokens of unfinished requests. */
  outstandingTokens = 0;
  preemptions = 0;
  /** Requests at the head of the queue that were begun, and start over. */
  preempted = 0;
  /** Whether requests that wait may begin; those that were begun go on. */
  admits = true;
  prefixHitTokens = 0;
  prefixLookupTokens = 0;
  readonly kv: KvBlocks;
  private readonly state: RequestState;
  private readonly scheduler: SchedulerConfig;
  private readonly mixes: boolean;
  private readonly windows: Float64Array;
  /** Draft tokens per decode. */
  private readonly draftTokens: number;
  /** Blocks of full caches kept for the outputs of requests whose KV cache is on its way. */
  private reservedBlocks = 0;
  private budget = 0;
  private sequenceLimit = 0;

  constructor(
    state: RequestState,
    kv: KvBlocks,
    scheduler: SchedulerConfig,
    options: { mixesPrefillWithDecode: boolean; windows: Float64Array; draftTokens: number },
  ) {
    this.state = state;
    this.kv = kv;
    this.scheduler = scheduler;
    this.mixes = options.mixesPrefillWithDecode;
    this.windows = options.windows;
    this.draftTokens = options.draftTokens;
    this.running = new Int32Array(scheduler.maxSequences);
  }

  emptyStep(): RankStep {
    const size = this.scheduler.maxSequences;
    return {
      batch: emptyBatch(this.windows.length),
      draft: this.draftTokens === 0 ? null : emptyBatch(this.windows.length),
      requests: new Int32Array(size),
      tokens: new Int32Array(size),
      count: 0,
    };
  }

  enqueue(request: number): void {
    this.state.status[request] = requestStatus.waiting;
    this.waiting.pushBack(request);
  }

  /**
   * Fills `step` with the work of the next step, of at most `sequenceLimit` sequences. `idle`: no other step of this
   * rank is in flight, so only preemption can cure a lack of memory.
   */
  form(step: RankStep, sequenceLimit: number, idle: boolean): void {
    clearBatch(step.batch);
    if (step.draft !== null) clearBatch(step.draft);
    step.count = 0;
    this.budget = this.scheduler.maxBatchTokens;
    this.sequenceLimit = sequenceLimit;
    if (this.mixes && !this.promptNeedsOwnStep()) {
      const before = this.preemptions;
      this.addDecodes(step);
      const served = this.addPrefills(step);
      // Newcomers get no blocks that a decode took from others, or that a prompt in progress waits for.
      if (served && this.preemptions === before) this.admit(step);
    } else {
      if (this.addPrefills(step)) this.admit(step);
      if (step.count === 0) this.addDecodes(step);
    }
    // Prompts in progress hold all blocks and none can go on: the youngest starts over. Blocks of requests between pools
    // come back by themselves.
    while (step.count === 0 && idle && this.runningCount > 0 && this.reserved + this.leaving === 0) {
      holds(
        this.runningCount > 1,
        "progress",
        () => `request ${this.running[0]} alone cannot get KV blocks to suffice: ${this.kv.describe()}`,
      );
      this.preempt(this.runningCount - 1);
      this.addPrefills(step);
    }
  }

  /**
   * Whether the next prompt, computed whole, could run but does not fit beside the decodes of this step. It then gets a
   * step without decodes; else it would wait until nobody decodes.
   */
  private promptNeedsOwnStep(): boolean {
    const { waiting, state, scheduler } = this;
    if (!this.mayTakeOn() || scheduler.chunkedPrefill || waiting.size === 0) return false;
    if (this.runningCount >= scheduler.maxSequences) return false;
    const known = state.known(waiting.peek());
    const decodes = this.runningCount * (1 + this.draftTokens);
    return known + decodes > scheduler.maxBatchTokens && this.kv.hasRoomFor(known);
  }

  private schedule(step: RankStep, request: number, tokens: number, decode: boolean): void {
    const { state } = this;
    step.requests[step.count] = request;
    step.tokens[step.count++] = tokens;
    const done = state.computed[request]!;
    // One token over a context that came from another pool is the work of a decode, and kernels take it as one.
    addChunk(step.batch, this.windows, done, tokens, decode || state.again[request] === 1);
    const verified = done + tokens - state.known(request);
    if (verified >= 0) {
      step.batch.sampled += 1 + verified;
      if (step.draft !== null) {
        addChunk(step.draft, this.windows, done + tokens, 1, true);
        step.draft.sampled++;
      }
    }
    state.inStep[request] = 1;
    this.budget -= tokens;
  }

  private addDecodes(step: RankStep): void {
    const { state, kv } = this;
    for (let i = 0; i < this.runningCount && this.budget > 0 && step.count < this.sequenceLimit; i++) {
      const request = this.running[i]!;
      if (state.inStep[request] === 1 || !state.decoding(request)) continue;
      const verified = this.draftTokens === 0 ? 0 : this.draftsFor(request);
      const computed = state.computed[request]!;
      const tokens = computed + 1 + verified;
      let fits = kv.grow(request, computed, tokens);
      while (!fits) {
        const victim = this.youngestIdle(i);
        this.preempt(victim);
        if (victim === i) break;
        fits = kv.grow(request, computed, tokens);
      }
      if (fits) this.schedule(step, request, 1 + verified, true);
      else i--;
    }
  }

  /** Draft tokens that a decode verifies: as many as token budget, longest context and KV cache have room for. */
  private draftsFor(request: number): number {
    const room = this.kv.layout.sequenceTokensMax - 1 - this.state.computed[request]!;
    return Math.min(this.draftTokens, this.budget - 1, room);
  }

  /** Adds chunks of prompts in progress; false if one found no KV blocks. */
  private addPrefills(step: RankStep): boolean {
    const { state, kv } = this;
    for (let i = 0; i < this.runningCount && this.budget > 0 && step.count < this.sequenceLimit; i++) {
      const request = this.running[i]!;
      if (state.inStep[request] === 1 || state.decoding(request)) continue;
      const computed = state.computed[request]!;
      const tokens = Math.min(state.known(request) - computed, this.budget);
      if (!kv.grow(request, computed, computed + tokens)) return false;
      this.schedule(step, request, tokens, false);
    }
    return true;
  }

  /** Whether the first request that waits may begin. */
  private mayTakeOn(): boolean {
    return this.admits || this.preempted > 0;
  }

  private admit(step: RankStep): void {
    const { state, kv, scheduler } = this;
    while (
      this.mayTakeOn() &&
      this.waiting.size > 0 &&
      this.budget > 0 &&
      step.count < this.sequenceLimit &&
      this.runningCount + this.reserved < scheduler.maxSequences
    ) {
      const request = this.waiting.peek();
      const known = state.known(request);
      const prompt = state.promptTokens[request]!;
      const cached = scheduler.prefixCaching ? Math.min(prompt, kv.cachedTokens(request, known)) : 0;
      const left = known - cached;
      const whole = !scheduler.chunkedPrefill;
      // Without chunking a prompt runs in one step: it waits for an empty step if it exceeds the rest of the budget.
      if (whole && left > this.budget && step.count > 0) return;
      const tokens = whole ? left : Math.min(left, this.budget);
      kv.shareCached(request, cached);
      if (!kv.grow(request, cached, cached + tokens)) {
        kv.release(request);
        return;
      }
      this.waiting.popFront();
      if (this.preempted > 0) this.preempted--;
      // A preempted request that finds its own blocks again is no hit.
      if (scheduler.prefixCaching && state.preemptions[request] === 0) {
        this.prefixLookupTokens += prompt;
        this.prefixHitTokens += cached;
        state.cachedTokens[request] = cached;
      }
      state.computed[request] = cached;
      state.status[request] = requestStatus.running;
      this.running[this.runningCount++] = request;
      this.schedule(step, request, tokens, false);
    }
  }

  /**
   * Sets room aside for a prompt of `tokens` tokens that another pool computes; false where there is none for it nor,
   * beside others, for the output tokens that are kept free for it and for each of them: so many tokens, or the blocks
   * of all. Requests that wait here go first.
   */
  reserve(request: number, tokens: number, outputTokens: number | "all"): boolean {
    const { kv, scheduler } = this;
    const others = this.runningCount + this.reserved;
    if (this.waiting.size > 0 || others >= scheduler.maxSequences) return false;
    const output = outputTokens === "all" ? this.outputBlocks(request) : 0;
    const fits =
      outputTokens === "all"
        ? kv.hasRoomFor(tokens, this.outputBlocksLeft() + output)
        : kv.hasRoomFor(tokens + outputTokens * (others + 1));
    if (others > 0 && !fits) return false;
    if (!kv.grow(request, tokens, tokens)) return false;
    this.reserved++;
    this.reservedBlocks += output;
    return true;
  }

  /** Tokens of a request in the cache at its end: its last one is emitted, never cached. Drafts may lie beyond it. */
  private lastTokens(request: number): number {
    const { promptTokens, outputTokens } = this.state;
    const tokens = promptTokens[request]! + outputTokens[request]! - 1 + this.draftTokens;
    return Math.min(tokens, this.kv.layout.sequenceTokensMax);
  }

  /** Blocks of full caches that a request's output takes beside those of its prompt. */
  private outputBlocks(request: number): number {
    const { holding } = this.kv.layout.main;
    const prompt = this.state.promptTokens[request]!;
    return Math.max(0, holding.fullBlocks(this.lastTokens(request)) - holding.fullBlocks(prompt));
  }

  /** Blocks of full caches that the requests taken on have still to take. */
  private outputBlocksLeft(): number {
    let left = this.reservedBlocks;
    for (let i = 0; i < this.runningCount; i++)
      left += this.kv.lackedBlocks(this.running[i]!, this.lastTokens(this.running[i]!));
    return left;
  }

  /** The KV cache of a request for which room was set aside has arrived: it runs. */
  join(request: number, outputTokens: number | "all"): void {
    this.reserved--;
    if (outputTokens === "all") this.reservedBlocks -= this.outputBlocks(request);
    this.running[this.runningCount++] = request;
  }

  /** Position of the youngest running request that is not in a step, at or after `from`. */
  private youngestIdle(from: number): number {
    for (let i = this.runningCount - 1; i > from; i--) if (this.state.inStep[this.running[i]!] === 0) return i;
    return from;
  }

  /** Takes the blocks of the running request at `position`; it goes to the head of the queue and starts over. */
  private preempt(position: number): void {
    const request = this.running[position]!;
    this.kv.release(request);
    this.state.computed[request] = 0;
    this.state.again[request] = 0;
    this.state.preemptions[request]!++;
    this.state.status[request] = requestStatus.waiting;
    this.preemptions++;
    this.running.copyWithin(position, position + 1, this.runningCount);
    this.runningCount--;
    this.waiting.pushFront(request);
    this.preempted++;
  }

  /** Drops requests that are finished or leave from the running list, keeping the order of the others. */
  compact(): void {
    let kept = 0;
    for (let i = 0; i < this.runningCount; i++) {
      const request = this.running[i]!;
      if (this.state.status[request] === requestStatus.running && this.state.leaving[request] === 0)
        this.running[kept++] = request;
    }
    this.runningCount = kept;
  }
}
