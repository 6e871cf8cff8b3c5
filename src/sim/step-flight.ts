import { StepMeter } from "./outcome/step-meter.ts";
import type { Pool } from "./pool.ts";
import type { ReplicaRebalance } from "./rebalance/replica-rebalance.ts";
import type { Replica, StepInFlight } from "./replica.ts";
import type { StageRun } from "./step/stage-run.ts";
import type { FlightWatch } from "./step/stage-watch.ts";
import { component } from "./step/step-accounts.ts";

/** How far a step in flight of a replica has come. Reused from step to step. */
export class StepFlight {
  readonly pool: Pool;
  readonly replica: Replica;
  readonly step: StepInFlight;
  /** The way through its stage. Steps that nobody can meet have one in common. */
  readonly run: StageRun;
  /** The replica's steps that are advanced with others in order of time, and with which; -1: in one go. */
  readonly group: number;
  /** Who follows it; null: nobody. */
  private readonly watch: FlightWatch | null;
  /** Experts of the replica that are placed anew; null: they stay. */
  private readonly rebalance: ReplicaRebalance | null;
  /** Measures the step while somebody follows it; null otherwise. */
  meter: StepMeter | null = null;
  private spareMeter: StepMeter | null = null;
  /** How many steps of the replica began before this one. */
  order = 0;
  startNs = 0;
  /** The stage that it is in or waits for, and when it got there, ns. */
  stage = 0;
  arrivedNs = 0;
  /** Whether it is in the stage, and since when, ns. */
  inside = false;
  beganNs = 0;
  /** Time of the stages behind it, and of those in which devices waited for experts, ns. */
  stagesNs = 0;
  fetchNs = 0;
  /** Most sequences of a data-parallel rank, and tokens of all. */
  sequences = 0;
  promptTokens = 0;
  tokens = 0;

  constructor(
    pool: Pool,
    replica: Replica,
    step: StepInFlight,
    run: StageRun,
    group: number,
    watch: FlightWatch | null = null,
  ) {
    this.watch = watch;
    this.pool = pool;
    this.replica = replica;
    this.step = step;
    this.run = run;
    this.group = group;
    this.rebalance = pool.experts.rebalances[pool.ownIndex(replica)] ?? null;
  }

  /** When it next uses what others may share, ns; Infinity while it waits for a stage, and when it is through. */
  get nextNs(): number {
    return this.inside ? this.run.nextNs : Number.POSITIVE_INFINITY;
  }

  /** Whether it is in the last stage. */
  get last(): boolean {
    return this.stage === this.replica.plans.length - 1;
  }

  start(order: number, atNs: number, measured: boolean): void {
    if (measured) this.spareMeter ??= new StepMeter(this.pool, this.replica);
    this.meter = measured ? this.spareMeter : null;
    this.meter?.reset();
    this.order = order;
    this.startNs = atNs;
    this.stage = 0;
    this.arrivedNs = atNs;
    this.stagesNs = 0;
    this.fetchNs = 0;
    this.sequences = 0;
    this.promptTokens = 0;
    this.tokens = 0;
    for (const part of this.step.parts) this.sequences = Math.max(this.sequences, part.count);
    for (const batch of this.step.batches) {
      this.promptTokens += batch.prefillTokens;
      this.tokens += batch.tokens;
    }
  }

  /** Enters its stage when that is free. */
  enter(): void {
    const { pool, replica, step, stage } = this;
    const { plans, stageFreeNs, inFlight } = replica;
    this.inside = true;
    const freeNs = stageFreeNs[stage]!;
    this.beganNs = Math.max(this.arrivedNs, freeNs);
    stageFreeNs[stage] = Number.POSITIVE_INFINITY;
    const stoodNs = this.rebalance === null ? 0 : this.rebalance.entered(stage);
    if (this.rebalance !== null) this.bookRebalance(stoodNs);
    this.run.watch = this.watch;
    this.watch?.enters(stage, this.beganNs, freeNs, stoodNs);
    const source = pool.experts.sources[pool.ownIndex(replica) * inFlight.length + step.index]!;
    const roots = this.group < 0 || pool.roots.of === null ? null : pool.roots.of[pool.ownIndex(replica)]![stage]!;
    this.meter?.wait(this.beganNs - this.arrivedNs);
    this.meter?.open();
    this.run.begin(plans[stage]!, this.beganNs, step.batches, source, this.last, roots);
    this.meter?.close();
  }

  /** Does what is due next in its stage. */
  advance(): void {
    this.meter?.open();
    this.run.advance();
    this.meter?.close();
  }

  /** Leaves its stage, which is timed, rounded to whole ns. Returns its end, ns. */
  leave(): number {
    const { pool, replica, run, beganNs, stage, last } = this;
    this.meter?.open();
    let { ns } = run;
    this.watch?.resumes();
    if (last) ns = this.withDrafts(ns) + this.pool.cost.hostNs(this.sequences, this.promptTokens > 0);
    if (this.rebalance !== null) {
      const laterNs = this.rebalance.besideNs(stage, beganNs, ns, run.exchangeNs);
      pool.cost.components[component.rebalance]! += laterNs;
      ns += laterNs;
    }
    // No stage ends before what it used last: what follows it comes later.
    ns = Math.max(1, Math.round(ns), Math.ceil(run.usedNs) - beganNs);
    const endNs = beganNs + ns;
    replica.stageFreeNs[stage] = endNs + (this.rebalance?.left(stage) ?? 0);
    this.inside = false;
    this.stagesNs += ns;
    this.fetchNs += run.fetchNs;
    this.watch?.leaves(endNs);
    if (last) {
      replica.busyNs += this.stagesNs;
      replica.promptTime.add(this.stagesNs, this.promptTokens, this.tokens - this.promptTokens);
    } else {
      this.arrivedNs = endNs + Math.round(this.pool.cost.handoffNs(this.step.batches, stage));
      this.watch?.handsOn(endNs, this.arrivedNs);
      this.stage++;
    }
    this.meter?.close();
    return endNs;
  }

  /** Time that the stage stood still for experts to move. */
  private bookRebalance(ns: number): void {
    this.replica.busyNs += ns;
    this.pool.cost.components[component.rebalance]! += ns;
  }

  private withDrafts(ns: number): number {
    const { draft, cost } = this.pool;
    if (draft === null) return ns;
    const draftNs = draft.ns(this.step.batches, this.step.drafts);
    cost.components[component.draft]! += draftNs;
    return ns + draftNs;
  }
}
