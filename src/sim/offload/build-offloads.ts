import { InfeasibleError, InvariantError } from "../../core/errors.ts";
import type { Resource } from "../../core/resource.ts";
import { expertHomes } from "../../models/visits.ts";
import { admitted } from "../../policy/cache/admission/admitted.ts";
import { type CacheShape, createScopedCache } from "../../policy/cache/cache-scope.ts";
import { CallLogRecorder } from "../../policy/cache/call-log.ts";
import type { ExpertCache } from "../../policy/cache/expert-cache.ts";
import { reserving } from "../../policy/cache/reserved.ts";
import type { OffloadConfig, PoolConfig } from "../config.ts";
import { stageRanks } from "../mapping.ts";
import type { MemoryPlan } from "../memory/memory-plan.ts";
import { MeanCourse } from "../outcome/mean-course.ts";
import { replicaNodes } from "../replica-nodes.ts";
import type { ExpertRanks } from "../routing/expert-ranks.ts";
import { ExclusiveRoom } from "../store/exclusive-room.ts";
import { HostStore, type TierRead } from "../store/host-store.ts";
import { LruRanking } from "../store/lru-ranking.ts";
import { Migration } from "../store/migration.ts";
import { PageCache } from "../store/page-cache.ts";
import { TierStore } from "../store/tier-store.ts";
import { ExpertUses } from "./expert-uses.ts";
import type { Uplink } from "./fetch-cost.ts";
import { HostLane } from "./host-lane.ts";
import { HostNode } from "./host-node.ts";
import { MissPlan } from "./miss-plan.ts";
import { narrowShare } from "./narrow-copies.ts";
import { OffloadState } from "./offload-state.ts";
import { memoryTiers } from "./offload-tiers.ts";
import { PrefetchLane } from "./prefetch-lane.ts";
import { PrefetchRoad } from "./prefetch-road.ts";
import { socketReads, socketsOfRank } from "./socket-reads.ts";
import { SocketRooms } from "./socket-rooms.ts";
import { fetchCost, pageCopy, tierReads } from "./transfer-costs.ts";
import { WriteBacks } from "./write-backs.ts";

/** Expert caches of a run, with their logs and the nodes below them. */
export interface Offloads {
  /** [replicas][pipeline stages][expert ranks] */
  readonly caches: readonly OffloadState[];
  readonly logs: readonly CallLogRecorder[];
  /** Nodes: their memory and disks feed the caches. */
  readonly nodes: readonly HostNode[];
  /** What each replica has on each of its nodes. */
  readonly hosts: readonly HostStore[];
  /** [nodes] pages of files in their memory; none where reads of disks pass none. */
  readonly pages: readonly PageCache[];
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
  const hosts: HostStore[] = [];
  const pages: PageCache[] = [];
  const rooms: SocketRooms[] = [];
  /** Where the host computes: experts that some device lacks as the run begins. */
  const leftToHost = new Map<HostStore, Set<number>>();
  const course = new MeanCourse();
  if (offload === null) return { caches, logs, nodes, hosts, pages };
  if (routing.kind !== "replay") throw new InvariantError("offload-needs-replay", routing.kind);
  if (offload.parts !== undefined && !memory.hostHoldsAll)
    throw new InfeasibleError("experts of which the device holds a part have to be in memory: here some are on disks");
  const cost = fetchCost(config, offload, memory.expertBytes);
  const reads = tierReads(config, memory.expertBytes);
  const local = node.sockets !== undefined && offload.numa !== "interleave";
  const visited = expertHomes(config.model);
  const { nodeOf } = replicaNodes(config);
  const { experts, topK } = routing.table;
  const shape = { layers: routing.layerMap.length, expertsPerLayer: experts, topK, ...slotsOf(offload) };
  const { miss } = offload;
  const missHandler = miss === undefined ? null : miss.policy.create({ topK }, miss.values);
  const hostComputes = missHandler !== null && miss!.policy.needs.includes("host");
  const narrow = narrowShare(config);
  const prefetcherOf = offload.prefetch?.prepare();
  const logAccesses = Math.floor(offload.logAccessesMax / (mapping.ep * mapping.pp * replicas));
  for (let replica = 0; replica < replicas; replica++) {
    const ranksAt = ranksByNode(config, replica);
    while (nodes.length <= Math.max(...ranksAt.keys())) {
      nodes.push(new HostNode(node));
      rooms.push(new SocketRooms(node, offload.hostBytes));
      if (offload.pageCache === undefined) continue;
      const copy = pageCopy(config, nodes.at(-1)!, memory.expertBytes);
      pages.push(new PageCache(shape.layers * experts, memory.pageBytes, copy));
    }
    const hostAt = new Map<number, HostStore>();
    for (const [at, ranks] of ranksAt) {
      // A layer that visits the experts of another one has none of its own.
      const holders = ranks.map(({ stage, rank }) => ({
        holds: (layer: number, expert: number) =>
          visited[layer] === layer && stageOf[layer] === stage && expertRanks.holds(layer, expert, rank),
        sockets: socketsOfRank(config, replica, stage * stageRanks(mapping) + rank * mapping.etp),
      }));
      const held = (layer: number, expert: number) => holders.some(({ holds }) => holds(layer, expert));
      const homes = homesOf(shape, memory.homes, held);
      const lenders = new Uint8Array(homes.length);
      if (local) rooms[at]!.settle(homes, lenders, experts, holders, memory.expertBytes);
      const byKey = (key: number) => held(Math.floor(key / experts), key % experts);
      hostAt.set(at, hostStore(config, memory, nodes[at]!, pages[at] ?? null, reads, homes, lenders, byKey));
    }
    hosts.push(...hostAt.values());
    if (hostComputes) for (const host of hostAt.values()) leftToHost.set(host, new Set());
    for (let stage = 0; stage < mapping.pp; stage++)
      for (let rank = 0; rank < mapping.ep; rank++) {
        const owns = (layer: number, expert: number) =>
          stageOf[layer] === stage && expertRanks.holds(layer, expert, rank);
        const first = stage * stageRanks(mapping) + rank * mapping.etp;
        const at = nodeOf(replica, first);
        const readers = socketsOfRank(config, replica, first);
        const popularity = ownPopularity(offload.popularity, routing.layerMap, visited, experts, owns);
        const isOwn = (key: number): boolean => owns(Math.floor(key / experts), key % experts);
        const { keep, protect } = offload.reserved ?? { keep: [], protect: [] };
        const reserved = { keep: keep.filter(isOwn), protect: protect.filter(isOwn) };
        const policy = reserving(admitted(offload.policy, offload.admission), reserved);
        const log = new CallLogRecorder(logAccesses);
        logs.push(log);
        const newCache = () => createScopedCache(policy, offload.scope, { ...shape, popularity, future: null });
        const host = hostAt.get(at)!;
        if (hostComputes)
          for (const key of absentOf(newCache(), shape.layers * experts, isOwn, visited, experts))
            leftToHost.get(host)!.add(key);
        const uplinks = uplinksOf(config, nodes[at]!.uplinks, replica, first);
        const backwards = () => uplinksOf(config, nodes[at]!.uplinksBack, replica, first);
        const sockets = node.sockets === undefined ? [] : socketReads(config, nodes[at]!, readers, memory.expertBytes);
        const writeBacks =
          host.exclusive === null ? null : new WriteBacks(shape.layers * experts, newCache(), host, backwards(), cost);
        const ahead = (link: Resource) => {
          const held = heldBy(routing.layerMap.length, experts, owns);
          return new PrefetchLane({
            prefetcher: prefetcherOf!({ index: caches.length, held }),
            rules: offload.prefetch!,
            experts,
            homes: visited,
            held,
            road: new PrefetchRoad(cost, host, link, uplinks, sockets),
            writeBacks,
          });
        };
        caches.push(
          new OffloadState({
            reserved,
            newCache,
            host,
            uplinks,
            sockets,
            writeBacks,
            slotsOf: (key) => shape.slotsPerLayer?.[Math.floor(key / experts)] ?? shape.slots,
            popularity,
            cost,
            overlap: offload.overlap,
            log,
            uses: new ExpertUses(shape.layers, experts, course),
            experts,
            plan:
              missHandler === null
                ? null
                : new MissPlan({
                    handler: missHandler,
                    needs: miss!.policy.needs,
                    experts,
                    fetchNs: cost.linkNs + cost.stagingNs + (host.hasPages ? pages[at]!.copy.threadNs : 0),
                    narrowShare: narrow,
                    defers: memory.hostHoldsAll,
                  }),
            lane: hostComputes ? new HostLane(nodes[at]!.processors, host, experts) : null,
            told: toldOf(offload.policy),
            ...(offload.parts === undefined
              ? {}
              : { partsOf: (key: number) => offload.parts![Math.floor(key / experts)] ?? null }),
            ...(prefetcherOf === undefined ? {} : { ahead }),
          }),
        );
      }
  }
  for (const room of rooms) room.lend();
  for (const [host, keys] of leftToHost) host.load([...keys].sort((a, b) => a - b));
  return { caches, logs, nodes, hosts, pages };
}

/** Experts of a rank that its cache lacks. A layer that visits the experts of another one has none of its own. */
const absentOf = (
  cache: ExpertCache,
  objects: number,
  isOwn: (key: number) => boolean,
  visited: readonly number[],
  experts: number,
): number[] =>
  Array.from({ length: objects }, (_, key) => key).filter((key) => {
    const layer = Math.floor(key / experts);
    return visited[layer] === layer && isOwn(key) && !cache.contains(key);
  });

/** [MoE layers x experts] 1 for each that a rank computes. */
function heldBy(layers: number, experts: number, owns: (layer: number, expert: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: layers * experts }, (_, key) =>
    owns(Math.floor(key / experts), key % experts) ? 1 : 0,
  );
}

/** What a policy is told of each expert of a call, beside that it is asked for. */
const toldOf = ({ needs }: OffloadConfig["policy"]): "weights" | "tokens" | null =>
  needs.includes("weights") ? "weights" : needs.includes("tokens") ? "tokens" : null;

/** Slots of the caches of a rank, whatever their policy. */
export const slotsOf = ({ slots, slotsPerLayer }: OffloadConfig): Pick<CacheShape, "slots" | "slotsPerLayer"> =>
  slotsPerLayer === undefined ? { slots } : { slots, slotsPerLayer };

/** Of `links`, those that the devices of an expert rank, from `first` on, have in common with others on the first one's node. */
function uplinksOf(config: PoolConfig, links: readonly Resource[], replica: number, first: number): Uplink[] {
  if (links.length === 0) return [];
  const { mapping, node } = config;
  const { nodeOf, placeOf } = replicaNodes(config);
  const devices = new Map<number, number>();
  for (let rank = first; rank < first + mapping.etp; rank++) {
    if (nodeOf(replica, rank) !== nodeOf(replica, first)) continue;
    const uplink = Math.floor(placeOf(replica, rank) / node.hostLinkDevices!);
    devices.set(uplink, (devices.get(uplink) ?? 0) + 1);
  }
  return Array.from(devices, ([uplink, count]) => ({ link: links[uplink]!, devices: count }));
}

/** The expert ranks of a replica by the node that they lie on, or begin on. */
function ranksByNode(config: PoolConfig, replica: number) {
  const { mapping } = config;
  const { nodeOf } = replicaNodes(config);
  const ranksAt = new Map<number, { readonly stage: number; readonly rank: number }[]>();
  for (let stage = 0; stage < mapping.pp; stage++)
    for (let rank = 0; rank < mapping.ep; rank++) {
      const at = nodeOf(replica, stage * stageRanks(mapping) + rank * mapping.etp);
      ranksAt.set(at, [...(ranksAt.get(at) ?? []), { stage, rank }]);
    }
  return ranksAt;
}

/** Where a replica's experts on a node live: they fill the tiers in the order of layers. */
function homesOf(
  { layers, expertsPerLayer }: { readonly layers: number; readonly expertsPerLayer: number },
  rooms: readonly number[],
  owns: (layer: number, expert: number) => boolean,
): Uint8Array {
  const homes = new Uint8Array(layers * expertsPerLayer);
  let tier = 0;
  let held = 0;
  for (let key = 0; key < homes.length; key++) {
    if (!owns(Math.floor(key / expertsPerLayer), key % expertsPerLayer)) continue;
    for (; held === rooms[tier]; held = 0) tier++;
    homes[key] = tier;
    held++;
  }
  return homes;
}

function hostStore(
  { node: { tiers }, offload, mapping }: PoolConfig,
  memory: MemoryPlan,
  node: HostNode,
  pages: PageCache | null,
  reads: readonly TierRead[],
  homes: Uint8Array,
  lenders: Uint8Array,
  /** Whether the replica computes an expert on the node. */
  byKey: (key: number) => boolean,
): HostStore {
  const expertBytes = reads.at(-1)?.bytes ?? 0;
  const direct = offload?.diskPath === "direct";
  const room = memory.hostHoldsAll || direct ? 0 : memory.hostExperts * expertBytes;
  const disks = memoryTiers(tiers);
  const memories = node.tiers.slice(0, disks);
  const cache = new TierStore(homes.length, room, new LruRanking(homes.length));
  const exclusive = offload?.hostCache === "exclusive" && room > 0;
  return new HostStore({
    homes,
    disks,
    tiers: node.tiers,
    reads,
    cache,
    lenders,
    onDisk: !memory.hostHoldsAll,
    direct,
    wholeBytes: memory.expertBytes * mapping.etp,
    memories: node.memories,
    pages,
    exclusive: exclusive ? new ExclusiveRoom(homes.length, cache, memories[0]!, reads[0]!) : null,
    migration: offload?.tiering === "lru" && disks > 1 ? new Migration(homes, byKey, memories, reads) : null,
  });
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
