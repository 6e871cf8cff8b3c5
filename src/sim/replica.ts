import type { Domain, DomainStep } from "./domain.ts";
import type { FrontEnds } from "./front-end.ts";
import type { DomainBatch } from "./step/batch.ts";
import { PromptTime } from "./step/prompt-time.ts";
import type { StagePlan } from "./step/stage-plan.ts";

/** A step in flight: its work per domain. A replica has one slot per pipeline stage. */
export interface StepSlot {
  readonly index: number;
  readonly domains: readonly DomainStep[];
  readonly batches: readonly DomainBatch[];
  /** Per domain the sequences that draft after the step; empty without speculative decoding. */
  readonly drafts: readonly DomainBatch[];
  busy: boolean;
}

/** One copy of the whole mapping behind front ends of its own: its scheduling domains step together, through its stages. */
export class Replica {
  readonly plans: readonly StagePlan[];
  readonly domains: readonly Domain[];
  readonly frontEnds: FrontEnds;
  readonly slots: readonly StepSlot[];
  readonly stageFreeNs: Float64Array;
  /** Time of all stages spent on steps, ns. */
  busyNs = 0;
  /** The prompts' part of it. */
  readonly promptTime = new PromptTime();
  startPending = false;

  constructor(plans: readonly StagePlan[], domains: readonly Domain[], frontEnds: FrontEnds) {
    this.plans = plans;
    this.domains = domains;
    this.frontEnds = frontEnds;
    this.stageFreeNs = new Float64Array(plans.length);
    this.slots = plans.map((_, index) => {
      const steps = domains.map((domain) => domain.emptyStep());
      const drafts = steps.flatMap((step) => (step.draft === null ? [] : [step.draft]));
      return { index, domains: steps, batches: steps.map((step) => step.batch), drafts, busy: false };
    });
  }

  /** Whether a slot and the first stage are free. */
  canStart(atNs: number): boolean {
    return this.stageFreeNs[0]! <= atNs && this.slots.some((slot) => !slot.busy);
  }

  /** Forms a step in a free slot from all domains; null if there is nothing to do. */
  form(): StepSlot | null {
    const slot = this.slots.find((candidate) => !candidate.busy)!;
    const inFlight = this.slots.some((other) => other.busy);
    let work = 0;
    for (let d = 0; d < this.domains.length; d++) {
      const domain = this.domains[d]!;
      // Sequences are spread over the steps in flight, so that no stage waits for one large step.
      const limit = Math.ceil((domain.runningCount + domain.waiting.size) / this.slots.length);
      const step = slot.domains[d]!;
      domain.form(step, Math.min(step.requests.length, Math.max(1, limit)), !inFlight);
      work += step.count;
    }
    if (work === 0) return null;
    slot.busy = true;
    return slot;
  }

  release(slot: StepSlot): void {
    slot.busy = false;
  }

  /** Running sequences of all domains. */
  runningCount(): number {
    let running = 0;
    for (const domain of this.domains) running += domain.runningCount;
    return running;
  }
}
