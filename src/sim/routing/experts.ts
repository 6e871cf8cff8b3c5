import { InvariantError } from "../../core/errors.ts";
import { contiguous } from "../../policy/placement/contiguous.ts";
import type { SimConfig } from "../config.ts";
import type { MemoryPlan } from "../memory/memory-plan.ts";
import { buildOffloads, type Offloads } from "../offload/build-offloads.ts";
import type { RankBatch } from "../step/batch.ts";
import { moeLayers, stagePlans } from "../step/stage-plan.ts";
import { ExpertRanks } from "./expert-ranks.ts";
import { type ExpertSource, ReplayedExperts, UniformExperts } from "./expert-source.ts";
import { LoadStatistics } from "./load-statistics.ts";
import { RoutingReplay } from "./routing-replay.ts";

/** Everything about the routed experts of a run: the source of their work, its statistics, and the caches. */
export interface Experts {
  readonly source: ExpertSource;
  readonly loads: LoadStatistics | null;
  readonly replay: RoutingReplay | null;
  readonly offloads: Offloads;
  /** Begins a step that a replica forms at `atNs`. */
  beginStep(replica: number, atNs: number): void;
  addChunk(request: number, done: number, tokens: number): void;
  /** Turns the tokens added since {@link beginStep} into work per layer and expert rank. */
  endStep(batches: readonly RankBatch[]): void;
  check(): void;
}

export function buildExperts(config: SimConfig, memory: MemoryPlan): Experts {
  const moe = moeLayers(config.model);
  const { routing } = config;
  if (routing.kind === "uniform" || moe.length === 0) {
    if (config.offload !== null)
      throw new InvariantError("offload-needs-replay", "an expert cache needs replayed routing");
    const popularityCv = routing.kind === "uniform" ? (routing.popularityCv ?? 0) : 0;
    const uniform = new UniformExperts(moe, config.mapping.ep, popularityCv);
    return {
      source: uniform,
      loads: null,
      replay: null,
      offloads: { caches: [], logs: [], nodes: [] },
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
      physicalExperts: Math.ceil(experts / config.mapping.ep) * config.mapping.ep,
      loads: null,
    });
  const expertRanks = new ExpertRanks(placement, routing.layerMap);
  const { requests } = config.workload;
  const domainIndex = requests.domains.map((name) => routing.table.domains.indexOf(name));
  const replay = new RoutingReplay(routing.table, requests.count, {
    start: routing.start,
    seed: config.seed,
    domainOf: (request) => (requests.domainOf === null ? -1 : (domainIndex[requests.domainOf[request]!] ?? -1)),
    ordered: config.offload !== null,
  });
  const stageOf = stagePlans(config.model, config.mapping.pp).flatMap((plan, stage) =>
    Array.from(
      plan.moeIndex.filter((index) => index >= 0),
      () => stage,
    ),
  );
  const offloads = buildOffloads(config, memory, expertRanks, stageOf);
  const source = new ReplayedExperts(
    expertRanks,
    replay,
    routing.layerMap,
    offloads.caches,
    stageOf,
    config.mapping.pp,
  );
  const loads = new LoadStatistics(expertRanks.work);
  return {
    source,
    loads,
    replay,
    offloads,
    beginStep: (replica, atNs) => {
      for (const node of offloads.nodes) node.forget(atNs);
      source.setReplica(replica);
      replay.beginStep();
    },
    addChunk: (request, done, tokens) => replay.addChunk(request, done, tokens),
    endStep: (batches) => {
      expertRanks.split(replay.counts);
      let tokens = 0;
      for (const batch of batches) tokens += batch.tokens;
      loads.addStep(tokens, routing.table.topK);
    },
    check: () => {
      for (const offload of offloads.caches) offload.check();
    },
  };
}
