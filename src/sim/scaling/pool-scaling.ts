import { holds } from "../../core/errors.ts";
import type { Scaler, ScalingView } from "../../policy/scaling/scaling.ts";
import type { ScalingConfig } from "../config.ts";
import type { DpRank } from "../dp-rank.ts";
import type { KvLayout } from "../memory/kv-plan.ts";
import { kvUseOf } from "../memory/kv-use.ts";
import type { Replica } from "../replica.ts";
import type { RequestState } from "../request-state.ts";
import type { ReplicaCount } from "../result.ts";
import type { ReplicaState } from "./replica-life.ts";
import { RequestWatch } from "./request-watch.ts";

/** The pool that is scaled. */
export interface ScaledPool {
  readonly replicas: readonly Replica[];
  readonly kv: KvLayout;
  readonly state: RequestState;
  /** A replica has lost what lay in its devices. */
  forget(replica: Replica): void;
}

/** Starts and stops the replicas of one pool as its policy wants it. */
export class PoolScaling {
  readonly config: ScalingConfig;
  /** Times that a replica began to load, and most replicas that were up at once. */
  starts = 0;
  mostUp: number;
  /** Replicas by state from each time on at which their number changed, the start first. */
  readonly changes: ReplicaCount[] = [];
  /** Requests that the pool is given. */
  readonly watch: RequestWatch;
  /** Data-parallel ranks of the replicas that are not off. */
  ranksOn: readonly DpRank[] = [];
  private readonly pool: ScaledPool;
  private readonly scaler: Scaler;
  /** Replicas that finish what they have. */
  private draining = 0;
  /** Time of steps, and time of stages that could step, when the policy was last asked, ns. */
  private busyNs = 0;
  private workingNs = 0;

  constructor(config: ScalingConfig, pool: ScaledPool) {
    this.config = config;
    this.pool = pool;
    const { policy, values, everyNs, startupNs } = config;
    this.scaler = policy.create(values, { everyNs, startupNs });
    this.watch = new RequestWatch(pool.state, policy.watchesLatencies === true);
    this.mostUp = config.atStart;
    this.count(0);
  }

  /** Asks the policy, and follows it; `load` begins the start of a replica. Returns whether any changes its state. */
  decide(atNs: number, load: (replica: Replica) => void): boolean {
    const wanted = this.scaler.replicas(this.view(atNs));
    holds(Number.isInteger(wanted), "replica-state", () => `${wanted} replicas wanted`);
    const goal = Math.max(this.config.min, Math.min(this.pool.replicas.length, wanted));
    const more = goal - this.up().length;
    const changed = more > 0 ? this.grow(more, atNs, load) : this.shrink(-more, atNs);
    const up = this.up().length;
    this.mostUp = Math.max(this.mostUp, up);
    if (changed) this.count(atNs);
    holds(up >= this.config.min, "replica-state", () => `${up} replicas up, at least ${this.config.min} have to be`);
    return changed;
  }

  /** Replicas that drain and have nothing left are off. Returns whether there were any. */
  settle(atNs: number): boolean {
    if (this.draining === 0) return false;
    const done = this.inState("draining").filter((replica) => replica.empty);
    for (const replica of done) {
      replica.life.enter("off", atNs);
      this.pool.forget(replica);
    }
    this.draining -= done.length;
    if (done.length > 0) this.count(atNs);
    return done.length > 0;
  }

  /** Replicas have changed their state. */
  count(atNs: number): void {
    this.ranksOn = this.pool.replicas.filter(({ life }) => life.state !== "off").flatMap(({ dpRanks }) => dpRanks);
    const of = (state: ReplicaState) => this.inState(state).length;
    // Of several changes at an instant the last one counts.
    if (this.changes.at(-1)?.atNs === atNs) this.changes.pop();
    this.changes.push({ atNs, starting: of("starting"), serving: of("serving"), draining: of("draining") });
  }

  private inState(state: ReplicaState): Replica[] {
    return this.pool.replicas.filter(({ life }) => life.state === state);
  }

  private up(): Replica[] {
    return [...this.inState("starting"), ...this.inState("serving")];
  }

  /** Takes draining replicas back, those with most to do first; then starts others. */
  private grow(count: number, atNs: number, load: (replica: Replica) => void): boolean {
    const back = this.inState("draining")
      .sort((a, b) => b.outstandingTokens() - a.outstandingTokens() || a.place.index - b.place.index)
      .slice(0, count);
    for (const { life } of back) life.enter("serving", atNs);
    this.draining -= back.length;
    const fresh = this.inState("off").slice(0, count - back.length);
    for (const replica of fresh) {
      replica.life.enter("starting", atNs);
      replica.life.readyNs = atNs + this.config.startupNs;
      load(replica);
    }
    this.starts += fresh.length;
    return back.length + fresh.length > 0;
  }

  /**
   * Gives up starts that nobody waits for, the latest first; then drains replicas that serve, those with least to do first.
   * The last one that serves goes on.
   */
  private shrink(count: number, atNs: number): boolean {
    const given = this.inState("starting")
      .filter((replica) => replica.empty)
      .sort((a, b) => b.life.readyNs - a.life.readyNs || b.place.index - a.place.index)
      .slice(0, count);
    for (const { life } of given) life.enter("off", atNs);
    const serving = this.inState("serving").sort(
      (a, b) => a.outstandingTokens() - b.outstandingTokens() || b.place.index - a.place.index,
    );
    const drained = serving.slice(0, Math.max(0, Math.min(count - given.length, serving.length - 1)));
    for (const { life } of drained) life.enter("draining", atNs);
    this.draining += drained.length;
    this.settle(atNs);
    return given.length + drained.length > 0;
  }

  private view(atNs: number): ScalingView {
    const { replicas, kv } = this.pool;
    const serving = this.inState("serving");
    const up = this.up();
    const sum = (some: readonly Replica[], of: (replica: Replica) => number) =>
      some.reduce((total, replica) => total + of(replica), 0);
    const busyNs = sum(replicas, (replica) => replica.busyNs);
    const workingNs = sum(
      replicas,
      ({ life, plans }) => plans.length * (life.ns("serving", atNs) + life.ns("draining", atNs)),
    );
    const spanNs = workingNs - this.workingNs;
    // A step that nobody meets is booked when it begins, and its end may lie ahead.
    const busy = spanNs > 0 ? Math.min(1, (busyNs - this.busyNs) / spanNs) : 0;
    this.busyNs = busyNs;
    this.workingNs = workingNs;
    const ranks = serving.flatMap(({ dpRanks }) => dpRanks);
    return {
      atNs,
      starting: up.length - serving.length,
      serving: serving.length,
      draining: this.draining,
      off: replicas.length - up.length - this.draining,
      waiting: sum(up, (replica) => replica.waitingCount()),
      running: sum(up, (replica) => replica.runningCount()),
      outstandingTokens: sum(up, (replica) => replica.outstandingTokens()),
      kvUse: ranks.length === 0 ? 0 : kvUseOf(ranks, kv),
      busy,
      ...this.watch.take(atNs),
    };
  }
}
