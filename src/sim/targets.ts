import { holds, InvariantError } from "../core/errors.ts";
import type { Router, RouterPolicy, RouterView } from "../policy/router/router.ts";
import type { Pool } from "./pool.ts";
import type { Replica } from "./replica.ts";
import { replicaView } from "./router-views.ts";

/**
 * Replicas that a request may go to, and what chooses among them: all of them where none comes or goes. Else those that
 * serve, or while none does, those that will serve first.
 */
export class Targets {
  private readonly replicas: readonly Replica[];
  private readonly ranks: readonly RouterView[];
  private readonly policy: RouterPolicy;
  private readonly scaled: boolean;
  /** Those that may be chosen. */
  private open: readonly Replica[] = [];
  private router: Router;
  private view: RouterView;

  constructor(pools: readonly Pool[], policy: RouterPolicy) {
    this.replicas = pools.flatMap((pool) => pool.replicas);
    this.ranks = pools.flatMap((pool) => pool.rankViews);
    this.policy = policy;
    this.scaled = pools.some(({ config }) => config.scaling !== undefined);
    this.open = this.scaled ? this.up() : this.replicas;
    this.router = policy.create(this.open.length);
    this.view = this.viewOf(this.open);
  }

  choose(request: number): Replica {
    const chosen = this.router.choose(request, this.view);
    const replica = this.open[chosen];
    if (replica === undefined) throw new InvariantError("router-target", `replica ${chosen}`);
    const { state } = replica.life;
    holds(
      state === "serving" || state === "starting",
      "replica-state",
      () => `request ${request} is given to replica ${replica.place.index}, which is ${state}`,
    );
    return replica;
  }

  /** The state of a replica has changed. A router begins anew when its targets do. */
  refresh(): void {
    if (!this.scaled) return;
    const open = this.up();
    if (open.length === this.open.length && open.every((replica, i) => replica === this.open[i])) return;
    this.open = open;
    this.router = this.policy.create(open.length);
    this.view = this.viewOf(open);
  }

  private up(): readonly Replica[] {
    const serving = this.replicas.filter(({ life }) => life.state === "serving");
    if (serving.length > 0) return serving;
    const starting = this.replicas.filter(({ life }) => life.state === "starting");
    const firstNs = Math.min(...starting.map(({ life }) => life.readyNs));
    return starting.filter(({ life }) => life.readyNs === firstNs);
  }

  private viewOf(open: readonly Replica[]): RouterView {
    return replicaView(
      open,
      open.map((replica) => this.ranks[this.replicas.indexOf(replica)]!),
    );
  }
}
