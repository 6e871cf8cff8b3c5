import type { DpRank, RankStep } from "./dp-rank.ts";
import type { FrontEnds } from "./front-end.ts";
import type { RankBatch } from "./step/batch.ts";
import { PromptTime } from "./step/prompt-time.ts";
import type { StagePlan } from "./step/stage-plan.ts";

/** A step in flight: its work per data-parallel rank. A replica has one slot per pipeline stage. */
export interface StepSlot {
  readonly index: number;
  readonly dpRanks: readonly RankStep[];
  readonly batches: readonly RankBatch[];
  /** Per data-parallel rank the sequences that draft after the step; empty without speculative decoding. */
  readonly drafts: readonly RankBatch[];
  busy: boolean;
}

/** One copy of the whole mapping behind front ends of its own: its data-parallel ranks step together, through its stages. */
export class Replica {
  readonly plans: readonly StagePlan[];
  readonly dpRanks: readonly DpRank[];
  readonly frontEnds: FrontEnds;
  readonly slots: readonly StepSlot[];
  readonly stageFreeNs: Float64Array;
  /** Time of all stages spent on steps, ns. */
  busyNs = 0;
  /** The prompts' part of it. */
  readonly promptTime = new PromptTime();
  startPending = false;

  constructor(plans: readonly StagePlan[], dpRanks: readonly DpRank[], frontEnds: FrontEnds) {
    this.plans = plans;
    this.dpRanks = dpRanks;
    this.frontEnds = frontEnds;
    this.stageFreeNs = new Float64Array(plans.length);
    this.slots = plans.map((_, index) => {
      const steps = dpRanks.map((dpRank) => dpRank.emptyStep());
      const drafts = steps.flatMap((step) => (step.draft === null ? [] : [step.draft]));
      return { index, dpRanks: steps, batches: steps.map((step) => step.batch), drafts, busy: false };
    });
  }

  /** Whether a slot and the first stage are free. */
  canStart(atNs: number): boolean {
    return this.stageFreeNs[0]! <= atNs && this.slots.some((slot) => !slot.busy);
  }

  /** Forms a step in a free slot from all data-parallel ranks; null if there is nothing to do. */
  form(): StepSlot | null {
    const slot = this.slots.find((candidate) => !candidate.busy)!;
    const inFlight = this.slots.some((other) => other.busy);
    let work = 0;
    for (let d = 0; d < this.dpRanks.length; d++) {
      const dpRank = this.dpRanks[d]!;
      // Sequences are spread over the steps in flight, so that no stage waits for one large step.
      const limit = Math.ceil((dpRank.runningCount + dpRank.waiting.size) / this.slots.length);
      const step = slot.dpRanks[d]!;
      dpRank.form(step, Math.min(step.requests.length, Math.max(1, limit)), !inFlight);
      work += step.count;
    }
    if (work === 0) return null;
    slot.busy = true;
    return slot;
  }

  release(slot: StepSlot): void {
    slot.busy = false;
  }

  /** Running sequences of all data-parallel ranks. */
  runningCount(): number {
    let running = 0;
    for (const dpRank of this.dpRanks) running += dpRank.runningCount;
    return running;
  }
}
