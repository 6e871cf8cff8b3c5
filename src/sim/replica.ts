import type { DpRank, RankStep } from "./dp-rank.ts";
import type { FrontEnds } from "./front-end.ts";
import type { RequestIntake } from "./request-intake.ts";
import type { ReplicaLife } from "./scaling/replica-life.ts";
import type { RankBatch } from "./step/batch.ts";
import { PromptTime } from "./step/prompt-time.ts";
import type { StagePlan } from "./step/stage-plan.ts";

/** Room for a step in flight: its work per data-parallel rank. A replica has one per pipeline stage. */
export interface StepInFlight {
  readonly index: number;
  readonly parts: readonly RankStep[];
  readonly batches: readonly RankBatch[];
  /** Per data-parallel rank the sequences that draft after the step; empty without speculative decoding. */
  readonly drafts: readonly RankBatch[];
  busy: boolean;
}

/** Where a replica comes in the order of all pools: its pool, itself, and its first data-parallel rank. */
export interface ReplicaPlace {
  readonly pool: number;
  readonly index: number;
  readonly firstRank: number;
}

/**
 * One copy of the whole mapping behind front ends of its own: its data-parallel ranks step together, through its
 * stages.
 */
export class Replica {
  readonly place: ReplicaPlace;
  readonly life: ReplicaLife;
  readonly plans: readonly StagePlan[];
  readonly dpRanks: readonly DpRank[];
  readonly frontEnds: FrontEnds;
  readonly intake: RequestIntake;
  readonly inFlight: readonly StepInFlight[];
  /** When each stage is free; Infinity while a step is in it. */
  readonly stageFreeNs: Float64Array;
  /** Time of all stages spent on steps, ns. */
  busyNs = 0;
  /** The prompts' part of it. */
  readonly promptTime = new PromptTime();
  startPending = false;

  constructor(
    place: ReplicaPlace,
    life: ReplicaLife,
    plans: readonly StagePlan[],
    dpRanks: readonly DpRank[],
    frontEnds: FrontEnds,
    intake: RequestIntake,
  ) {
    this.place = place;
    this.life = life;
    this.plans = plans;
    this.dpRanks = dpRanks;
    this.frontEnds = frontEnds;
    this.intake = intake;
    this.stageFreeNs = new Float64Array(plans.length);
    this.inFlight = plans.map((_, index) => {
      const parts = dpRanks.map((dpRank) => dpRank.emptyStep());
      const drafts = parts.flatMap((part) => (part.draft === null ? [] : [part.draft]));
      return { index, parts, batches: parts.map((part) => part.batch), drafts, busy: false };
    });
  }

  /** Whether the first stage is free, and room for one more step. */
  canStart(atNs: number): boolean {
    return this.stageFreeNs[0]! <= atNs && this.inFlight.some((step) => !step.busy);
  }

  /** Whether it has nothing to do: no step is in flight, and none is about to follow. */
  idle(atNs: number): boolean {
    return this.stageFreeNs[0]! <= atNs && !this.inFlight.some((step) => step.busy) && this.runningCount() === 0;
  }

  /** Forms a step of all data-parallel ranks; null if there is nothing to do. */
  form(): StepInFlight | null {
    const step = this.inFlight.find((candidate) => !candidate.busy)!;
    const others = this.inFlight.some((other) => other.busy);
    let work = 0;
    for (let d = 0; d < this.dpRanks.length; d++) {
      const dpRank = this.dpRanks[d]!;
      // Sequences are spread over the steps in flight, so that no stage waits for one large step.
      const limit = Math.ceil((dpRank.runningCount + dpRank.waiting.size) / this.inFlight.length);
      const part = step.parts[d]!;
      dpRank.form(part, Math.min(part.requests.length, Math.max(1, limit)), !others);
      work += part.count;
    }
    if (work === 0) return null;
    step.busy = true;
    return step;
  }

  release(step: StepInFlight): void {
    step.busy = false;
  }

  /** Whether no request is left here, nor on its way to here or from here. */
  get empty(): boolean {
    return this.outstandingTokens() === 0 && !this.inFlight.some((step) => step.busy);
  }

  /** Prompt and output tokens of requests that are not finished, those in the front ends included. */
  outstandingTokens(): number {
    let tokens = this.frontEnds.outstandingTokens;
    for (const dpRank of this.dpRanks) tokens += dpRank.outstandingTokens;
    return tokens;
  }

  /** Requests that wait for a step, or for room on their way from another pool. */
  waitingCount(): number {
    let waiting = this.frontEnds.outstanding;
    for (const dpRank of this.dpRanks) waiting += dpRank.waiting.size + dpRank.arriving.size;
    return waiting;
  }

  /** Whether requests wait for a step of it, or for its scheduler to look. */
  wanted(): boolean {
    return this.intake.size > 0 || this.dpRanks.some(({ waiting }) => waiting.size > 0);
  }

  /** Requests begun and not finished: those that run, and those that were preempted. */
  begunCount(): number {
    return this.dpRanks.reduce((sum, { runningCount, preempted }) => sum + runningCount + preempted, 0);
  }

  /** Running sequences of all data-parallel ranks. */
  runningCount(): number {
    let running = 0;
    for (const dpRank of this.dpRanks) running += dpRank.runningCount;
    return running;
  }
}
