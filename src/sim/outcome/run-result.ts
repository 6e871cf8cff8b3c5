import { balance } from "../../policy/placement/placement-measures.ts";
import type { DpRank } from "../dp-rank.ts";
import { cacheResult } from "../offload/cache-reference.ts";
import { type ResourceUse, type RunResult, type TimeComponent, timeComponents } from "../result.ts";
import { checkResources } from "./laws.ts";
import { simulationLedger } from "./ledger.ts";
import type { RunView } from "./run-view.ts";

/** Gathers the result of a run from the state of its parts. */
export function buildResult(run: RunView): RunResult {
  const { config, state, dpRanks, cost, experts, replicas } = run;
  const sum = (pick: (dpRank: (typeof dpRanks)[number]) => number) =>
    dpRanks.reduce((total, dpRank) => total + pick(dpRank), 0);
  const { requests } = config.workload;
  const cache = cacheResult(config, experts.offloads);
  const resources = resourceUse(run);
  checkResources(run, resources);
  const time = Object.fromEntries(timeComponents.map((name, i) => [name, cost.components[i]!]));
  return {
    requests: {
      count: state.count,
      status: state.status,
      arrivalNs: state.arrivalNs,
      scheduledNs: state.scheduledNs,
      firstTokenNs: state.firstTokenNs,
      lastTokenNs: state.lastTokenNs,
      promptTokens: state.promptTokens,
      cachedTokens: state.cachedTokens,
      outputTokens: state.outputTokens,
      classOf: requests.classOf,
      classes: requests.classes,
      replicaOf: state.dpRank.map((dpRank) => Math.floor(dpRank / config.mapping.dp)),
      preemptions: state.preemptions,
      warmup: Math.min(config.warmupRequests, state.count),
    },
    itl: run.itl,
    endNs: run.nowNs,
    steps: run.steps,
    promptTokensComputed: run.promptTokensComputed,
    outputTokens: run.outputTokens,
    replicaBusyNs: replicas.map((replica) => replica.busyNs),
    promptBusyNs: replicas.reduce((total, replica) => total + replica.promptTime.ns, 0),
    frontEnds: {
      busyNs: replicas.flatMap(({ frontEnds }) => [...frontEnds.busyNs]),
      waitNs: replicas.reduce((sum, { frontEnds }) => sum + frontEnds.waitNs, 0),
    },
    speculation: run.speculation?.counts() ?? null,
    time: time as Record<TimeComponent, number>,
    layers: experts.loads?.layers(expertSkew(run)) ?? [],
    rankLoad: experts.loads?.rankLoad() ?? [],
    cache,
    resources,
    memory: run.memory.map,
    kv: {
      ...fullestPool(dpRanks),
      preemptions: sum((dpRank) => dpRank.preemptions),
      prefixHitTokens: sum((dpRank) => dpRank.prefixHitTokens),
      prefixLookupTokens: sum((dpRank) => dpRank.prefixLookupTokens),
    },
    series: run.series.result(),
    load:
      config.workload.kind === "open" ? { kind: "open" } : { kind: "closed", concurrency: config.workload.concurrency },
    routing:
      experts.replay === null
        ? null
        : { rows: experts.replay.table.rows, reuse: experts.replay.rowReads / experts.replay.table.rows },
    ledger: simulationLedger(run),
    interrupted: run.interrupted,
    laws: run.laws.counts,
  };
}

/** The KV pool that came closest to its capacity. */
function fullestPool(dpRanks: readonly DpRank[]): Pick<RunResult["kv"], "blocks" | "peakBlocks"> {
  let fullest = { blocks: 0, peakBlocks: 0 };
  for (const { kv } of dpRanks)
    for (const { capacity, peakUsed } of kv.pools)
      if (fullest.blocks === 0 || peakUsed / capacity > fullest.peakBlocks / fullest.blocks)
        fullest = { blocks: capacity, peakBlocks: peakUsed };
  return fullest;
}

/** Heaviest over mean expert of each MoE layer over the run; 1 where nothing was routed. */
function expertSkew({ config, experts }: RunView): number[] {
  const { routing } = config;
  if (routing.kind !== "replay" || experts.replay === null) return [];
  const uses = experts.replay.expertUses();
  const count = routing.table.experts;
  return routing.layerMap.map((layer) => balance(uses.subarray(layer * count, (layer + 1) * count)));
}

function resourceUse(run: RunView): ResourceUse[] {
  const { replicas, cost, draft, experts, config } = run;
  // Expert ranks and links: the mean over replicas and pipeline stages. Their devices work at the same time.
  const copies = replicas.length * config.mapping.pp;
  const use: ResourceUse[] = replicas.map((replica, r) => ({
    name: `replica ${r}`,
    busyNs: replica.busyNs / replica.plans.length,
    bytes: 0,
  }));
  for (const [r, { frontEnds }] of replicas.entries())
    for (const [i, busyNs] of frontEnds.busyNs.entries())
      if (busyNs > 0) use.push({ name: frontEndName(r, i, frontEnds.busyNs.length), busyNs, bytes: 0 });
  const drafting = draft?.layers ?? null;
  for (const [rank, busyNs] of cost.rankBusyNs.entries()) {
    const both = busyNs + (drafting?.rankBusyNs[rank] ?? 0);
    use.push({ name: `experts of rank ${rank}`, busyNs: both / copies, bytes: 0 });
  }
  const linkBusyNs = cost.links.busyNs + (drafting?.links.busyNs ?? 0);
  const linkBytes = cost.links.bytes + (drafting?.links.bytes ?? 0);
  if (linkBusyNs > 0) use.push({ name: "device interconnect", busyNs: linkBusyNs / copies, bytes: linkBytes / copies });
  const { caches, nodes } = experts.offloads;
  if (config.node.device.hostLink !== null)
    for (const [i, { linkBusyNs, fetchedBytes }] of caches.entries())
      use.push({ name: `host link of ${offloadName(config, i)}`, busyNs: linkBusyNs, bytes: fetchedBytes });
  for (const [i, { memory, memoryBytes, disk, diskBytes }] of nodes.entries()) {
    if (memory.busyNs > 0) use.push({ name: `host memory of node ${i}`, busyNs: memory.busyNs, bytes: memoryBytes });
    if (disk.busyNs > 0) use.push({ name: `NVMe of node ${i}`, busyNs: disk.busyNs, bytes: diskBytes });
  }
  return use;
}

function frontEndName(replica: number, index: number, count: number): string {
  return `front end ${count > 1 ? `${index} ` : ""}of replica ${replica}`;
}

/**
 * Name of an offload state. They are ordered by replica, pipeline stage and expert rank; a lone stage or replica goes
 * unnamed.
 */
function offloadName(config: RunView["config"], index: number): string {
  const { ep, pp } = config.mapping;
  const parts = [`rank ${index % ep}`];
  if (pp > 1) parts.push(`stage ${Math.floor(index / ep) % pp}`);
  if (config.replicas > 1) parts.push(`replica ${Math.floor(index / (ep * pp))}`);
  return parts.join(", ");
}
