import { InfeasibleError } from "../core/errors.ts";
import { CostModel } from "../hardware/cost.ts";
import type { Router, RouterView } from "../policy/router/router.ts";
import type { RequestTable } from "../trace/request-table.ts";
import type { PoolConfig, PoolRole } from "./config.ts";
import { DpRank } from "./dp-rank.ts";
import { FrontEnds } from "./front-end.ts";
import { type HostRoots, hostRoots } from "./host-roots.ts";
import { KvBlocks } from "./memory/kv-blocks.ts";
import { kvBlockTokens } from "./memory/kv-pools.ts";
import { type MemoryPlan, planMemory } from "./memory/memory-plan.ts";
import { prefixUnits } from "./memory/prefix-units.ts";
import { Replica, type ReplicaPlace } from "./replica.ts";
import { RequestIntake } from "./request-intake.ts";
import type { RequestState } from "./request-state.ts";
import { rankView } from "./router-views.ts";
import { buildExperts, type Experts } from "./routing/experts.ts";
import { PoolScaling } from "./scaling/pool-scaling.ts";
import { ReplicaLife } from "./scaling/replica-life.ts";
import { Speculation } from "./speculation.ts";
import { buildDraftCost, type DraftCost } from "./step/draft-cost.ts";
import { stagePlans } from "./step/stage-plan.ts";
import { StepCost } from "./step/step-cost.ts";

/** What the pools of a run share: the requests and their state. */
export interface PoolRequests {
  readonly requests: RequestTable;
  readonly state: RequestState;
  readonly seed: number;
}

/** A pool of a run: its replicas, and what they have in common. */
export class Pool {
  readonly config: PoolConfig;
  readonly role: PoolRole;
  readonly replicas: readonly Replica[];
  readonly dpRanks: readonly DpRank[];
  readonly cost: StepCost;
  /** null where drafts take no device time. */
  readonly draft: DraftCost | null;
  readonly speculation: Speculation | null;
  readonly experts: Experts;
  readonly roots: HostRoots;
  readonly memory: MemoryPlan;
  /** null where all replicas are up from the start to the end. */
  readonly scaling: PoolScaling | null;
  /** [replicas] what a router sees of the data-parallel ranks of one, and the router that chooses among them. */
  readonly rankViews: readonly RouterView[];
  readonly rankRouters: readonly Router[];

  /** @param place where the pool comes among all: its index, and those of its first replica and data-parallel rank. */
  constructor(config: PoolConfig, place: ReplicaPlace, { requests, state, seed }: PoolRequests) {
    this.config = config;
    this.role = config.role ?? "both";
    const { mapping, scheduler, engine } = config;
    const operations = new CostModel(config.node.device, config.node, engine.id, engine.ownKernels ?? null);
    this.cost = new StepCost(config, operations);
    this.draft = buildDraftCost(config, operations, this.cost.windows);
    this.speculation = config.speculation === null ? null : new Speculation(config.speculation, seed);
    this.memory = named(config.name, () => planMemory(config, this.cost.attention, this.draft?.layers.attention ?? []));
    const plans = stagePlans(config.model, mapping.pp);
    const prefix =
      scheduler.prefixCaching && requests.prefix !== null ? prefixUnits(requests.prefix, kvBlockTokens(config)) : null;
    this.dpRanks = Array.from(
      { length: config.replicas * mapping.dp },
      () =>
        new DpRank(
          state,
          new KvBlocks(this.memory.kv, requests.count, prefix),
          { ...scheduler, prefixCaching: prefix !== null },
          {
            mixesPrefillWithDecode: engine.mixesPrefillWithDecode,
            windows: this.cost.windows,
            draftTokens: config.speculation?.draftTokens ?? 0,
          },
        ),
    );
    this.replicas = Array.from({ length: config.replicas }, (_, r) => {
      const dpRanks = this.dpRanks.slice(r * mapping.dp, (r + 1) * mapping.dp);
      const intake = new RequestIntake(scheduler.recvInterval, engine.schedulesAhead);
      return new Replica(
        { pool: place.pool, index: place.index + r, firstRank: place.firstRank + r * mapping.dp },
        new ReplicaLife(r < (config.scaling?.atStart ?? config.replicas) ? config.readyNs : Number.POSITIVE_INFINITY),
        plans,
        dpRanks,
        new FrontEnds(config.frontEnds),
        intake,
      );
    });
    this.roots = hostRoots(config);
    this.experts = buildExperts(config, this.memory, requests, seed);
    this.rankRouters = this.replicas.map(() => config.router.create(mapping.dp));
    this.scaling =
      config.scaling === undefined
        ? null
        : new PoolScaling(config.scaling, {
            replicas: this.replicas,
            kv: this.memory.kv,
            state,
            forget: (replica) => this.forget(replica),
          });
    this.rankViews = this.replicas.map(({ dpRanks }) => rankView(dpRanks, state, scheduler.prefixCaching));
  }

  /** Position of a replica in the pool. */
  ownIndex({ place }: Replica): number {
    return place.index - this.replicas[0]!.place.index;
  }

  /** A replica is off, or its model has left its devices: they hold nothing more of it. */
  forget(replica: Replica): void {
    for (const { kv } of replica.dpRanks) kv.forget();
    this.experts.forget(this.ownIndex(replica));
  }

  /** Tokens that count as load of a request here: a pool that only computes prompts has nothing to do with its output. */
  loadOf(promptTokens: number, outputTokens: number): number {
    return this.role === "prefill" || this.role === "router" ? promptTokens : promptTokens + outputTokens;
  }
}

/** What does not fit is said of the pool. */
function named<T>(name: string | undefined, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (name === undefined || !(error instanceof InfeasibleError)) throw error;
    throw new InfeasibleError(`pool ${name}: ${error.message}`);
  }
}
