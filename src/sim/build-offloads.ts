import { InvariantError } from "../core/errors.ts";
import { transferNs } from "../hardware/link-transfer.ts";
import { createScopedCache } from "../policy/offload/cache-scope.ts";
import { cachePolicies } from "../policy/offload/caches.ts";
import { CallLogRecorder } from "../policy/offload/call-log.ts";
import type { ExpertCache } from "../policy/offload/expert-cache.ts";
import type { SimConfig } from "./config.ts";
import type { ExpertGroups } from "./expert-groups.ts";
import { stageRanks } from "./mapping.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import { OffloadState } from "./offload-state.ts";

/**
 * Expert caches and their links, [replicas][pipeline stages][expert groups], each with the log of its accesses. Every
 * group of a stage has device slots and a host link of its own; the groups of one node share its host memory.
 */
export function buildOffloads(
  config: SimConfig,
  memory: MemoryPlan,
  groups: ExpertGroups,
  /** [MoE layers] pipeline stage that runs the layer. */
  stageOf: readonly number[],
): { readonly offloads: readonly OffloadState[]; readonly logs: readonly CallLogRecorder[] } {
  const offloads: OffloadState[] = [];
  const logs: CallLogRecorder[] = [];
  const { offload, routing, node, mapping, replicas } = config;
  if (offload === null) return { offloads, logs };
  if (routing.kind !== "replay") throw new InvariantError("offload-needs-replay", routing.kind);
  const disk = node.tiers.find((tier) => tier.kind === "nvme");
  const hostTier = node.tiers.find((tier) => tier.kind !== "nvme");
  const hostLink = node.device.hostLink ?? hostTier?.read;
  if (hostLink === undefined) throw new InvariantError("offload-needs-link", "no link to host memory");
  const cost = {
    hostNs: transferNs(hostLink, memory.expertBytes),
    diskNs: disk === undefined ? 0 : transferNs(disk.read, memory.expertBytes * mapping.etp),
    bytes: memory.expertBytes,
  };
  const { experts } = routing.table;
  const shape = { layers: routing.layerMap.length, expertsPerLayer: experts };
  const logAccesses = Math.floor(offload.logAccessesMax / (mapping.ep * mapping.pp * replicas));
  for (let replica = 0; replica < replicas; replica++) {
    const hosts = new Map<number, ExpertCache>();
    const hostOf = (rank: number): ExpertCache => {
      const at = Math.floor(rank / node.devicesPerNode);
      const slots = memory.hostExperts;
      const host =
        hosts.get(at) ??
        createScopedCache(cachePolicies.lru, "global", { ...shape, slots, popularity: null, future: null });
      hosts.set(at, host);
      return host;
    };
    for (let stage = 0; stage < mapping.pp; stage++)
      for (let group = 0; group < mapping.ep; group++) {
        const owns = (layer: number, expert: number) =>
          stageOf[layer] === stage && groups.groupOf(layer, expert) === group;
        const popularity = ownPopularity(offload.popularity, routing.layerMap, experts, owns);
        const { slots } = offload;
        const log = new CallLogRecorder(logAccesses);
        logs.push(log);
        offloads.push(
          new OffloadState({
            cache: createScopedCache(offload.policy, offload.scope, { ...shape, slots, popularity, future: null }),
            host: memory.hostHoldsAll ? null : hostOf(stage * stageRanks(mapping) + group * mapping.etp),
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
  return { offloads, logs };
}

/**
 * Popularity by trace layer laid out by MoE layer of the model; -1, behind every expert of its own, for what a group
 * never computes, so that a static set takes no slot for it.
 */
function ownPopularity(
  popularity: Float64Array | null,
  layerMap: readonly number[],
  experts: number,
  owns: (layer: number, expert: number) => boolean,
): Float64Array | null {
  if (popularity === null) return null;
  return Float64Array.from({ length: layerMap.length * experts }, (_, key) => {
    const layer = Math.floor(key / experts);
    const expert = key % experts;
    return owns(layer, expert) ? popularity[layerMap[layer]! * experts + expert]! : -1;
  });
}
