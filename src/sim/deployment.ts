import { holds, InfeasibleError } from "../core/errors.ts";
import { type ModelCacheConfig, poolsOf, type SimConfig } from "./config.ts";
import type { DpRank } from "./dp-rank.ts";
import { Pool } from "./pool.ts";
import type { Replica } from "./replica.ts";
import type { RequestState } from "./request-state.ts";
import { Targets } from "./targets.ts";

/** The pools of a run with their replicas and data-parallel ranks, counted over all pools, and where requests fit. */
export class Deployment {
  readonly pools: readonly Pool[];
  readonly decodePools: readonly Pool[];
  readonly replicas: readonly Replica[];
  readonly dpRanks: readonly DpRank[];
  /** Where requests enter, and where those of `prefill` pools go on; null without such. */
  readonly entry: Targets;
  readonly decode: Targets | null;
  /** [data-parallel ranks] index of the replica. */
  private readonly replicaOfRank: readonly number[];
  private readonly state: RequestState;
  private readonly modelCache: ModelCacheConfig | undefined;
  /** Where all requests are read first; undefined without. */
  private readonly chooser: Replica | undefined;

  constructor(config: SimConfig, state: RequestState) {
    this.state = state;
    this.modelCache = config.modelCache;
    const pools: Pool[] = [];
    const replicas: Replica[] = [];
    const dpRanks: DpRank[] = [];
    const { requests } = config.workload;
    for (const [index, each] of poolsOf(config).entries()) {
      const place = { pool: index, index: replicas.length, firstRank: dpRanks.length };
      const pool = new Pool(each, place, { requests, state, seed: config.seed });
      pools.push(pool);
      replicas.push(...pool.replicas);
      dpRanks.push(...pool.dpRanks);
    }
    this.pools = pools;
    this.replicas = replicas;
    this.dpRanks = dpRanks;
    this.replicaOfRank = replicas.flatMap(({ dpRanks: own, place }) => own.map(() => place.index));
    this.decodePools = pools.filter(({ role }) => role === "decode");
    this.entry = new Targets(
      pools.filter(({ role }) => role !== "decode"),
      config.router,
    );
    this.decode = config.handover === undefined ? null : new Targets(this.decodePools, config.handover.router);
    this.chooser = pools.find(({ role }) => role === "router")?.replicas[0];
    for (const pool of this.decodePools) this.checkRoom(pool);
  }

  poolOf(replica: Replica): Pool {
    return this.pools[replica.place.pool]!;
  }

  /** Index of the replica that a data-parallel rank belongs to. */
  replicaOf(rank: number): number {
    return this.replicaOfRank[rank]!;
  }

  /** The replica that a request was last given to. */
  replicaWith(request: number): Replica {
    return this.replicas[this.replicaOfRank[this.state.dpRank[request]!]!]!;
  }

  /** Tokens of load that a request is to a data-parallel rank. */
  loadOf(request: number, rank: number): number {
    const { promptTokens, outputTokens } = this.state;
    const pool = this.poolOf(this.replicas[this.replicaOfRank[rank]!]!);
    return pool.loadOf(promptTokens[request]!, outputTokens[request]!);
  }

  /** A request is given to a replica: the scaling policy of its pool is told. */
  watch(request: number, replica: Replica): void {
    const pool = this.poolOf(replica);
    const { promptTokens, outputTokens } = this.state;
    pool.scaling?.watch.given(request, pool.loadOf(promptTokens[request]!, outputTokens[request]!));
  }

  /** Where a request enters that only one model can serve: there, or at the model that chooses; undefined where any can. */
  modelReplica(request: number): Replica | undefined {
    if (this.modelCache === undefined) return undefined;
    return this.chooser ?? this.servingReplica(request);
  }

  /** The replica whose model serves a request. */
  servingReplica(request: number): Replica {
    return this.replicas[this.modelCache!.servedBy[request]!]!;
  }

  /** Replicas have changed their state. */
  refresh(): void {
    this.entry.refresh();
    this.decode?.refresh();
  }

  /** A data-parallel rank of a replica, as the pool's router chooses it for a request. */
  chooseRank(request: number, replica: Replica): number {
    const pool = this.poolOf(replica);
    const own = pool.ownIndex(replica);
    const rank = pool.rankRouters[own]!.choose(request, pool.rankViews[own]!);
    holds(rank >= 0 && rank < replica.dpRanks.length, "router-target", () => `rank ${rank}`);
    return replica.place.firstRank + rank;
  }

  /** Whether a request that is alone in a pool, and in those that go on with it, gets through. */
  fits(request: number, pool: Pool): boolean {
    return (
      this.fitsIn(request, pool) &&
      (pool.role !== "prefill" || this.decodePools.every((each) => this.fitsIn(request, each)))
    );
  }

  private fitsIn(request: number, { config, role, memory }: Pool): boolean {
    const { promptTokens, outputTokens } = this.state;
    const tokens = promptTokens[request]! + outputTokens[request]!;
    if ((role === "router" ? promptTokens[request]! : tokens) > config.scheduler.contextTokensMax) return false;
    // The last token is emitted, never cached: a request alone needs room for all others.
    const cached = role === "prefill" || role === "router" ? promptTokens[request]! : tokens - 1;
    return cached <= memory.kv.sequenceTokensMax;
  }

  /** A decode pool holds the KV cache of at least one request, or nothing is served. */
  private checkRoom(pool: Pool): void {
    const { count, promptTokens, outputTokens } = this.state;
    let shortest = Number.POSITIVE_INFINITY;
    for (let request = 0; request < count; request++) {
      if (this.fitsIn(request, pool)) return;
      shortest = Math.min(shortest, promptTokens[request]! + outputTokens[request]!);
    }
    if (count === 0) return;
    const most = Math.min(pool.memory.kv.sequenceTokensMax, pool.config.scheduler.contextTokensMax);
    throw new InfeasibleError(
      `pool ${pool.config.name} cannot hold the KV cache of any request: the shortest has ${shortest} tokens, it takes ${most}`,
    );
  }
}
