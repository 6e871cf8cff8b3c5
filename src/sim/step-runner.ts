import type { StepMeasure } from "./outcome/step-parts.ts";
import type { Pool } from "./pool.ts";
import type { Replica, StepInFlight } from "./replica.ts";
import { sharingGroups } from "./shared-nodes.ts";
import type { FlightWatch } from "./step/stage-watch.ts";
import { StepFlight } from "./step-flight.ts";

const never = Number.POSITIVE_INFINITY;

/** Who is to follow each step in flight of a replica through its stages. It is asked once, before the run. */
export type FollowSteps = (pool: Pool, replica: Replica, step: StepInFlight) => FlightWatch;

/** Whoever starts steps, and what it learns of them, each now or in the future. Times are whole nanoseconds. */
export interface StepListener {
  /** The first of a replica's several stages is free for its next step. */
  firstStageFree(replica: number, atNs: number): void;
  /** `fetchNs`: how much of it devices waited for experts. `measure`: null where it was not measured. */
  stepEnds(
    replica: number,
    step: StepInFlight,
    startNs: number,
    endNs: number,
    fetchNs: number,
    measure: StepMeasure | null,
  ): void;
  /** When something else happens that may start a step, ns. */
  nextEventNs(): number;
  /** {@link StepRunner.advance} is due for a group. */
  advanceAt(group: number, atNs: number): void;
}

/**
 * Takes steps through the stages of their replicas. A stage serves one step at a time, in the order in which they began.
 * Steps that may meet at the memory or disks of a node are advanced together, from one use of them to the next in order of
 * time; all others in one go when they start.
 */
export class StepRunner {
  private readonly listener: StepListener;
  /** [replicas][steps in flight] */
  private readonly flights: readonly (readonly StepFlight[])[];
  /** [groups] the flights of its replicas in order; when the listener is to come back, ns. */
  private readonly groups: readonly (readonly StepFlight[])[];
  private readonly dueNs: Float64Array;
  /** [replicas] steps begun; [replicas][stages] steps that left the stage. */
  private readonly begun: Float64Array;
  private readonly left: readonly Float64Array[];

  constructor(pools: readonly Pool[], listener: StepListener, follow: FollowSteps | null = null) {
    this.listener = listener;
    const groups: StepFlight[][] = [];
    this.flights = pools.flatMap((pool) => {
      const alone = pool.cost.newRun();
      const firstGroup = groups.length;
      return sharingGroups(pool.config, pool.roots).map((own, r) => {
        const replica = pool.replicas[r]!;
        const group = own < 0 ? -1 : firstGroup + own;
        const flights = replica.inFlight.map(
          (step) =>
            new StepFlight(
              pool,
              replica,
              step,
              group < 0 ? alone : pool.cost.newRun(),
              group,
              follow === null ? null : follow(pool, replica, step),
            ),
        );
        if (group === groups.length) groups.push(flights);
        else if (group >= 0) groups[group]!.push(...flights);
        return flights;
      });
    });
    this.groups = groups;
    this.dueNs = new Float64Array(groups.length).fill(never);
    this.begun = new Float64Array(this.flights.length);
    this.left = this.flights.map((flights) => new Float64Array(flights.length));
  }

  /** Starts a step that a replica formed, whose experts were looked up. `measured`: whether its parts are told at its end. */
  start({ place: { index } }: Replica, step: StepInFlight, atNs: number, measured = false): void {
    const flight = this.flights[index]![step.index]!;
    flight.start(this.begun[index]!++, atNs, measured);
    this.enter(flight);
    if (flight.group >= 0) this.goOn(flight.group);
    else while (flight.nextNs < never) this.use(flight);
  }

  /** Advances the steps of a group, which said that it is due at `atNs`. */
  advance(group: number, atNs: number): void {
    if (this.dueNs[group] === atNs) this.dueNs[group] = never;
    this.goOn(group);
  }

  /** Takes all steps in flight to their ends, so that nothing of them is left uncounted. No step can start after that. */
  finish(): void {
    for (let group = 0; group < this.groups.length; group++)
      for (let flight = this.first(group); flight.nextNs < never; flight = this.first(group)) this.use(flight);
  }

  /** Advances the steps of a group in order of time as long as nothing else happens, and asks to be called for the rest. */
  private goOn(group: number): void {
    let flight = this.first(group);
    while (flight.nextNs < never && flight.nextNs <= this.listener.nextEventNs()) {
      this.use(flight);
      flight = this.first(group);
    }
    // At the end of the nanosecond.
    const atNs = Math.ceil(flight.nextNs);
    if (atNs >= this.dueNs[group]!) return;
    this.dueNs[group] = atNs;
    this.listener.advanceAt(group, atNs);
  }

  /** The flight that is due first; of those due at one time that of the first replica, and of its steps the first begun. */
  private first(group: number): StepFlight {
    const flights = this.groups[group]!;
    let first = flights[0]!;
    for (let i = 1; i < flights.length; i++) {
      const flight = flights[i]!;
      const before = flight.nextNs - first.nextNs;
      if (before < 0 || (before === 0 && flight.replica === first.replica && flight.order < first.order))
        first = flight;
    }
    return first;
  }

  /** Does what is due next in a step. */
  private use(flight: StepFlight): void {
    flight.advance();
    if (flight.run.nextNs === never) this.leave(flight);
  }

  /** Enters the stage that a step waits for if all steps before it have left that. */
  private enter(flight: StepFlight): void {
    if (this.left[flight.replica.place.index]![flight.stage] !== flight.order) return;
    flight.enter();
    if (flight.run.nextNs === never) this.leave(flight);
  }

  /** Leaves a stage for the next one or the end, and lets in who waits for it. */
  private leave(flight: StepFlight): void {
    const { replica, stage, last, step, startNs } = flight;
    const { index } = replica.place;
    const endNs = flight.leave();
    this.left[index]![stage]!++;
    if (last) this.listener.stepEnds(index, step, startNs, endNs, flight.fetchNs, flight.meter);
    else this.enter(flight);
    const flights = this.flights[index]!;
    if (flights.length === 1) return;
    if (stage === 0) this.listener.firstStageFree(index, replica.stageFreeNs[0]!);
    for (const next of flights) if (next.step.busy && !next.inside && next.stage === stage) this.enter(next);
  }
}
