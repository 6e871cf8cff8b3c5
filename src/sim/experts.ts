import { InvariantError } from "../core/errors.ts";
import { transferNs } from "../hardware/cost.ts";
import { createScopedCache } from "../policy/offload/cache-scope.ts";
import { cachePolicies } from "../policy/offload/caches.ts";
import { CallLogRecorder } from "../policy/offload/call-log.ts";
import { contiguous } from "../policy/placement/contiguous.ts";
import type { DomainBatch } from "./batch.ts";
import type { SimConfig } from "./config.ts";
import { ExpertGroups } from "./expert-groups.ts";
import { type ExpertSource, ReplayedExperts, UniformExperts } from "./expert-source.ts";
import { LoadStatistics } from "./load-statistics.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import { OffloadState } from "./offload-state.ts";
import { RoutingReplay } from "./routing-replay.ts";
import { moeLayers } from "./stage-plan.ts";

/** Everything about the routed experts of a run: where their work comes from, what it was, and what is cached. */
export interface Experts {
  readonly source: ExpertSource;
  readonly loads: LoadStatistics | null;
  readonly replay: RoutingReplay | null;
  readonly offloads: readonly OffloadState[];
  readonly logs: readonly CallLogRecorder[];
  beginStep(replica: number): void;
  addChunk(request: number, done: number, tokens: number): void;
  /** Turns the tokens added since {@link beginStep} into work per layer and group. */
  endStep(batches: readonly DomainBatch[]): void;
  check(): void;
}

export function buildExperts(config: SimConfig, memory: MemoryPlan): Experts {
  const moe = moeLayers(config.model);
  const { routing } = config;
  if (routing.kind === "uniform" || moe.length === 0) {
    if (config.offload !== null)
      throw new InvariantError("offload-needs-replay", "an expert cache needs replayed routing");
    const uniform = new UniformExperts(moe, config.mapping.ep);
    return {
      source: uniform,
      loads: null,
      replay: null,
      offloads: [],
      logs: [],
      beginStep: () => {},
      addChunk: () => {},
      endStep: (batches) => {
        let tokens = 0;
        for (const batch of batches) tokens += batch.tokens;
        uniform.setTokens(tokens);
      },
      check: () => {},
    };
  }
  const experts = moe[0]!.experts;
  const placement =
    config.placement ??
    contiguous.place({
      layers: moe.length,
      experts,
      ranks: config.mapping.ep,
      nodes: 1,
      groups: 1,
      slots: Math.ceil(experts / config.mapping.ep) * config.mapping.ep,
      loads: null,
    });
  const groups = new ExpertGroups(placement, routing.layerMap);
  const { requests } = config.workload;
  const domainIndex = requests.domains.map((name) => routing.table.domains.indexOf(name));
  const replay = new RoutingReplay(routing.table, requests.count, {
    start: routing.start,
    seed: config.seed,
    domainOf: (request) => (requests.domainOf === null ? -1 : (domainIndex[requests.domainOf[request]!] ?? -1)),
    ordered: config.offload !== null,
  });
  const logs: CallLogRecorder[] = [];
  const offloads: OffloadState[] = [];
  const stageOf = stagePlans(config.model, config.mapping.pp).flatMap((plan, stage) =>
    Array.from(plan.moeIndex.filter((index) => index >= 0), () => stage),
  );
  if (config.offload !== null) {
    for (let replica = 0; replica < config.replicas; replica++) {
      const hosts = hostCaches(config, memory);
      for (let stage = 0; stage < config.mapping.pp; stage++)
        for (let group = 0; group < config.mapping.ep; group++)
          offloads.push(offloadState(config, memory, { stage, group, owns: ownership(groups, stageOf, stage, group) }, hosts, logs));
    }
  }
  const source = new ReplayedExperts(groups, replay, routing.layerMap, offloads, stageOf, config.mapping.pp);
  const loads = new LoadStatistics(groups.work);
  return {
    source,
    loads,
    replay,
    offloads,
    logs,
    beginStep: (replica) => {
      source.setReplica(replica);
      replay.beginStep();
    },
    addChunk: (request, done, tokens) => replay.addChunk(request, done, tokens),
    endStep: (batches) => {
      groups.split(replay.counts);
      let tokens = 0;
      for (const batch of batches) tokens += batch.tokens;
      loads.addStep(tokens, routing.table.topK);
    },
    check: () => {
      for (const offload of offloads) offload.check();
    },
  };
}

function offloadState(config: SimConfig, memory: MemoryPlan, logs: CallLogRecorder[]): OffloadState {
  const offload = config.offload!;
  const { routing, node, mapping } = config;
  if (routing.kind !== "replay") throw new InvariantError("offload-needs-replay", routing.kind);
  const layers = routing.layerMap.length;
  const { experts } = routing.table;
  const popularity = spreadPopularity(offload.popularity, routing.layerMap, experts);
  const shape = { layers, expertsPerLayer: experts, slots: offload.slots, popularity, future: null };
  const cache = createScopedCache(offload.policy, offload.scope, shape);
  const host = memory.hostHoldsAll
    ? null
    : createScopedCache(cachePolicies.lru, "global", { ...shape, slots: memory.hostExperts });
  const log = new CallLogRecorder(Math.floor(offload.logAccessesMax / (mapping.ep * config.replicas)));
  logs.push(log);
  const disk = node.tiers.find((tier) => tier.kind === "nvme");
  const hostTier = node.tiers.find((tier) => tier.kind !== "nvme");
  const hostLink = node.device.hostLink ?? hostTier?.read;
  if (hostLink === undefined) throw new InvariantError("offload-needs-link", "no link to host memory");
  return new OffloadState({
    cache,
    host,
    slotsPerCall: offload.slots,
    cost: {
      hostNs: transferNs(hostLink, memory.expertBytes),
      diskNs: disk === undefined ? 0 : transferNs(disk.read, memory.expertBytes * mapping.etp),
      bytes: memory.expertBytes,
    },
    log,
    experts,
  });
}

/** Popularity by trace layer, laid out by MoE layer of the model. */
export function spreadPopularity(
  popularity: Float64Array | null,
  layerMap: readonly number[],
  experts: number,
): Float64Array | null {
  if (popularity === null) return null;
  const out = new Float64Array(layerMap.length * experts);
  for (let layer = 0; layer < layerMap.length; layer++)
    out.set(popularity.subarray(layerMap[layer]! * experts, (layerMap[layer]! + 1) * experts), layer * experts);
  return out;
}
