import { InvariantError } from "../../core/errors.ts";
import { transferNs } from "../../hardware/link-transfer.ts";
import { expertHomes } from "../../models/visits.ts";
import { admitted } from "../../policy/cache/admission/admitted.ts";
import { createScopedCache } from "../../policy/cache/cache-scope.ts";
import { cachePolicies } from "../../policy/cache/caches.ts";
import { CallLogRecorder } from "../../policy/cache/call-log.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import type { PoolConfig } from "../config.ts";
import { stageRanks } from "../mapping.ts";
import type { MemoryPlan } from "../memory/memory-plan.ts";
import { replicaNodes } from "../replica-nodes.ts";
import type { ExpertRanks } from "../routing/expert-ranks.ts";
import { HostNode } from "./host-node.ts";
import { type FetchCost, OffloadState } from "./offload-state.ts";
import { diskTier, hostTier } from "./offload-tiers.ts";

/** Expert caches of a run, with their logs and the nodes below them. */
export interface Offloads {
  /** [replicas][pipeline stages][expert ranks] */
  readonly caches: readonly OffloadState[];
  readonly logs: readonly CallLogRecorder[];
  /** Nodes: their memory and disks feed the caches. */
  readonly nodes: readonly HostNode[];
}

/**
 * Expert caches, each with the log of its accesses. Every expert rank of a stage has device slots and a host link of
 * its own. All ranks of a node read from its memory and its disks. The ranks of one replica share its part of the
 * memory.
 */
export function buildOffloads(
  config: PoolConfig,
  memory: MemoryPlan,
  expertRanks: ExpertRanks,
  /** [MoE layers] pipeline stage that runs the layer. */
  stageOf: readonly number[],
): Offloads {
  const caches: OffloadState[] = [];
  const logs: CallLogRecorder[] = [];
  const nodes: HostNode[] = [];
  const { offload, routing, node, mapping, replicas } = config;
  if (offload === null) return { caches, logs, nodes };
  if (routing.kind !== "replay") throw new InvariantError("offload-needs-replay", routing.kind);
  const policy = admitted(offload.policy, offload.admission);
  const cost = fetchCost(config, memory.expertBytes);
  const { nodeOf } = replicaNodes(mapping, replicas, node);
  const { experts } = routing.table;
  const shape = { layers: routing.layerMap.length, expertsPerLayer: experts };
  const logAccesses = Math.floor(offload.logAccessesMax / (mapping.ep * mapping.pp * replicas));
  for (let replica = 0; replica < replicas; replica++) {
    const hosts = new Map<number, ExpertCache>();
    const hostOf = (at: number): ExpertCache => {
      const slots = memory.hostExperts;
      const host =
        hosts.get(at) ??
        createScopedCache(cachePolicies.lru, "global", { ...shape, slots, popularity: null, future: null });
      hosts.set(at, host);
      return host;
    };
    for (let stage = 0; stage < mapping.pp; stage++)
      for (let rank = 0; rank < mapping.ep; rank++) {
        const owns = (layer: number, expert: number) =>
          stageOf[layer] === stage && expertRanks.holds(layer, expert, rank);
        const at = nodeOf(replica, stage * stageRanks(mapping) + rank * mapping.etp);
        while (nodes.length <= at) nodes.push(new HostNode());
        const popularity = ownPopularity(
          offload.popularity,
          routing.layerMap,
          expertHomes(config.model),
          experts,
          owns,
        );
        const { slots } = offload;
        const log = new CallLogRecorder(logAccesses);
        logs.push(log);
        caches.push(
          new OffloadState({
            cache: createScopedCache(policy, offload.scope, { ...shape, slots, popularity, future: null }),
            host: memory.hostHoldsAll ? null : hostOf(at),
            node: nodes[at]!,
            slotsPerCall: slots,
            popularity,
            cost,
            overlap: offload.overlap,
            log,
            experts,
          }),
        );
      }
  }
  return { caches, logs, nodes };
}

/** Transfer times of an expert slice of `bytes`. Devices of an expert rank on other nodes read the memory there. */
function fetchCost({ node, mapping }: PoolConfig, bytes: number): FetchCost {
  const memory = hostTier(node)?.read;
  const disk = diskTier(node)?.read;
  const { hostLink } = node.device;
  const memoryBytes = bytes * Math.min(mapping.etp, node.devicesPerNode);
  const diskBytes = bytes * mapping.etp;
  return {
    bytes,
    linkNs: hostLink === null ? 0 : transferNs(hostLink, bytes),
    memoryNs: memory === undefined ? 0 : transferNs(memory, memoryBytes) - memory.latencyNs,
    memoryLatencyNs: memory?.latencyNs ?? 0,
    memoryBytes,
    diskNs: disk === undefined ? 0 : transferNs(disk, diskBytes),
    diskBytes,
  };
}

/**
 * Popularity by trace layer, laid out by MoE layer of the model, all visits of its experts together. An expert that a rank
 * never computes has -1 and comes last, so a static set takes no slot for it.
 */
function ownPopularity(
  popularity: Float64Array | null,
  layerMap: readonly number[],
  homes: readonly number[],
  experts: number,
  owns: (layer: number, expert: number) => boolean,
): Float64Array | null {
  if (popularity === null) return null;
  const own = new Float64Array(layerMap.length * experts).fill(-1);
  for (const [layer, traceLayer] of layerMap.entries())
    for (let expert = 0; expert < experts; expert++) {
      if (!owns(layer, expert)) continue;
      const at = homes[layer]! * experts + expert;
      own[at] = Math.max(0, own[at]!) + popularity[traceLayer * experts + expert]!;
    }
  return own;
}
