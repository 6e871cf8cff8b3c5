import type { EventQueue } from "../../core/event-queue.ts";
import { eventKind, eventPriority } from "../events.ts";
import type { Pool } from "../pool.ts";
import type { Replica } from "../replica.ts";

/** What scaling asks of the run around it. */
export interface ScalingHost {
  /** Whether no request is left. */
  over(): boolean;
  /** Replicas have changed their state. */
  changed(atNs: number): void;
}

/** Replicas that come and go, of all pools of a run: asks their policies at every tick, and follows them. */
export class Scaling {
  private readonly pools: readonly Pool[];
  private readonly queue: EventQueue;
  private readonly host: ScalingHost;
  /** Ticks in the queue. */
  private ticks = 0;

  constructor(pools: readonly Pool[], queue: EventQueue, host: ScalingHost) {
    this.pools = pools;
    this.queue = queue;
    this.host = host;
    for (const [index, { scaling }] of pools.entries()) if (scaling !== null) this.tickLater(index, 0);
  }

  /** The policy of a pool is asked. Once nothing but ticks would follow, the run is over, or waits for nothing. */
  tick(pool: number, atNs: number): void {
    this.ticks--;
    if (this.host.over() || this.queue.size === this.ticks) return;
    const { scaling } = this.pools[pool]!;
    if (scaling!.decide(atNs, (replica) => this.load(replica))) this.host.changed(atNs);
    this.tickLater(pool, atNs + scaling!.config.everyNs);
  }

  /** A replica is through with loading: whether it serves. */
  ready(replica: Replica, atNs: number): boolean {
    const { life } = replica;
    if (life.state !== "starting" || life.readyNs !== atNs) return false;
    const { scaling } = this.pools[replica.place.pool]!;
    if (scaling !== null && this.host.over()) return false;
    life.enter("serving", atNs);
    scaling?.count(atNs);
    this.host.changed(atNs);
    return true;
  }

  /** Replicas that drain and have nothing left are off. */
  settle(atNs: number): void {
    for (let pool = 0; pool < this.pools.length; pool++)
      if (this.pools[pool]!.scaling?.settle(atNs) === true) this.host.changed(atNs);
  }

  /** A replica loads; its first step begins when it is ready. */
  load(replica: Replica): void {
    const { readyNs } = replica.life;
    replica.stageFreeNs.fill(readyNs);
    replica.startPending = true;
    this.queue.push(readyNs, eventPriority.start, eventKind.ready, replica.place.index);
  }

  private tickLater(pool: number, atNs: number): void {
    this.ticks++;
    this.queue.push(atNs, eventPriority.tick, eventKind.tick, pool);
  }
}
