import { tierName } from "../offload/tier-name.ts";
import type { Pool } from "../pool.ts";
import type { Replica } from "../replica.ts";
import { timeComponents } from "../result.ts";
import { type StallCauses, stallNames } from "../store/stall-causes.ts";
import { type StepMeasure, stepParts } from "./step-parts.ts";

const stageWait = stepParts.indexOf("stageWait");

/**
 * Measures one step. Steps add what they take to the accounts of their pool and caches; the meter takes the differences over the
 * spans in which nothing but its own step goes on. Only steps that somebody follows have one.
 */
export class StepMeter implements StepMeasure {
  readonly parts = new Float64Array(stepParts.length);
  readonly stalls: Float64Array;
  readonly stallNames: readonly string[];
  private readonly components: Float64Array;
  private readonly caches: readonly StallCauses[];
  private readonly before = new Float64Array(timeComponents.length);
  private readonly stallsBefore: Float64Array;

  constructor(pool: Pool, replica: Replica) {
    const { cost, experts, config, replicas } = pool;
    const { caches } = experts.offloads;
    const { tiers } = config.node;
    const each = caches.length / replicas.length;
    const own = pool.ownIndex(replica);
    this.components = cost.components;
    this.caches = caches.slice(own * each, (own + 1) * each).map(({ stalls }) => stalls);
    this.stallNames = this.caches.length === 0 ? [] : stallNames(tiers.map((_, tier) => tierName(tiers, tier)));
    this.stalls = new Float64Array(this.stallNames.length);
    this.stallsBefore = new Float64Array(this.stallNames.length);
  }

  /** A step begins. */
  reset(): void {
    this.parts.fill(0);
    this.stalls.fill(0);
  }

  /** The step waits for its stage. */
  wait(ns: number): void {
    this.parts[stageWait]! += ns;
  }

  /** From here on, until {@link close}, all that is added is the step's. */
  open(): void {
    this.before.set(this.components);
    for (let i = 0; i < this.stalls.length; i++) this.stallsBefore[i] = this.stalled(i);
  }

  close(): void {
    for (let i = 0; i < this.before.length; i++) this.parts[i]! += this.components[i]! - this.before[i]!;
    for (let i = 0; i < this.stalls.length; i++) this.stalls[i]! += this.stalled(i) - this.stallsBefore[i]!;
  }

  private stalled(cause: number): number {
    let ns = 0;
    for (const { ns: causes } of this.caches) ns += causes[cause]!;
    return ns;
  }
}
