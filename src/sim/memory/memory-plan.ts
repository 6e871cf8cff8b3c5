import { storedBytes } from "../../core/dtype.ts";
import { InfeasibleError } from "../../core/errors.ts";
import { oneLine } from "../../core/printable.ts";
import { formatBytes } from "../../core/units.ts";
import { activationBytes } from "../../hardware/cost/context.ts";
import { expertBytes } from "../../models/bytes.ts";
import type { PoolConfig } from "../config.ts";
import { moeShape, stageRanks } from "../mapping.ts";
import { narrowShare } from "../offload/narrow-copies.ts";
import { hostTier, offloadTiers, withPages } from "../offload/offload-tiers.ts";
import type { AttentionProgram } from "../step/attention-parts.ts";
import { draftConfig, draftModules } from "../step/draft-model.ts";
import { stagePlans } from "../step/stage-plan.ts";
import { cachesOf, hostDoesNotFit, hostMemory, withHost } from "./host-work-memory.ts";
import { placeCaches, reservedBytes } from "./kv-places.ts";
import { type KvLayout, type KvPlan, planKv } from "./kv-plan.ts";
import { growthPerToken, type LayerCache } from "./layer-cache.ts";
import type { MemoryItem, MemoryMap, TierMap } from "./memory.ts";
import { heldExperts, hostEmbedding, sliceBytesOf, weightItems } from "./weight-items.ts";

/** The memory map, and what follows from it: room for caches, bytes of an expert, experts in host memory. */
export interface MemoryPlan {
  readonly map: MemoryMap;
  readonly kv: KvLayout;
  /** Bytes of the weights in the memory of the most loaded device, and of all that lies there. */
  readonly weightBytes: number;
  readonly deviceBytes: number;
  /** Bytes of one expert slice on one device. */
  readonly expertBytes: number;
  /** See `OffloadTiers`. */
  readonly hostExperts: number;
  readonly hostHoldsAll: boolean;
  readonly homes: readonly number[];
  readonly pageBytes: number;
}

/** One pipeline stage on one device: its fixed bytes, and the caches of its layers. */
interface StageMemory {
  readonly items: readonly MemoryItem[];
  readonly weightBytes: number;
  readonly fixed: number;
  readonly caches: ReturnType<typeof placeCaches>;
}

/**
 * Byte-exact occupation of the most loaded device, then of the tiers behind it. The mapping splits the weights; weights
 * that it cannot split are replicated. The rest of the engine's share of memory is divided over the pools of its
 * caches. Throws InfeasibleError with the whole sum when anything does not fit. `draftAttention` is the token mixing of
 * the draft module on the last stage.
 */
export function planMemory(
  config: PoolConfig,
  attention: readonly AttentionProgram[],
  draftAttention: readonly AttentionProgram[] = [],
): MemoryPlan {
  const { node, model, mapping, scheduler, offload } = config;
  const moe = moeShape(model);
  const sliceBytes = moe === null ? 0 : Math.ceil(expertBytes(moe, config) / mapping.etp);
  const sliceBytesByLayer = sliceBytesOf(config);
  const physicalExpertsPerRank =
    config.placement?.physicalExpertsPerRank ?? (moe === null ? 0 : Math.ceil(moe.experts / mapping.ep));

  const budget = Math.floor(node.device.memoryBytes * scheduler.memoryUtilisation);
  const plans = stagePlans(model, mapping.pp);
  const draft = draftMemory(config, draftAttention);
  const stages = plans.map((plan, index): StageMemory => {
    const last = index === plans.length - 1;
    const weights = weightItems(config, attention, plan, {
      first: index === 0,
      last,
      expertBytes: sliceBytes,
      physicalExpertsPerRank,
      heldExperts: heldExperts(config, plan, physicalExpertsPerRank),
      heldBytes: heldExperts(config, plan, physicalExpertsPerRank, (layer) => sliceBytesByLayer[layer]!),
    });
    const items = [...weights, ...workItems(config)].filter((item) => item.bytes > 0);
    const weightBytes = bytesIn(weights) + (last ? (draft?.weightBytes ?? 0) : 0);
    const kept = cachesOf(config, attention, plan, false);
    if (draft !== null && last) {
      items.push({ name: "draft module", bytes: draft.weightBytes });
      kept.push(...draft.caches);
    }
    const caches = placeCaches(kept, config.engine.caches);
    const reserved = reservedBytes(caches.reserved, config);
    if (reserved > 0) items.push({ name: "window and state caches", bytes: reserved });
    return { items, weightBytes, fixed: bytesIn(items), caches };
  });
  const host = hostMemory(config, attention, plans);
  // What models that take turns need together is compared with the memory for models, not with the share of one engine.
  const { kvBytes } = config;
  const rooms = stages.map(({ caches, fixed }) => ({ caches, freeBytes: kvBytes ?? budget - fixed }));
  const kv = planKv(config, host === null ? rooms : [...rooms, host]);
  const shown = fullestStage(stages, kv);
  const { items, fixed, caches } = stages[shown]!;
  if (!kv.fits && host !== null && kv.mainBlocks[stages.length]! < kv.mainBlocks[shown]!)
    throw hostDoesNotFit(config, [...host.items, ...leastCaches(config, kv, stages.length)], host.roomBytes);
  if (!kv.fits) throw doesNotFit(config, items, budget, kv, shown);
  const poolsIn = (stage: number): MemoryItem[] =>
    kv.pools.map(({ name, capacity, blocks, blockBytes }) => ({
      name: `${name}, ${capacity} ${blocks}`,
      bytes: capacity * blockBytes[stage]!,
    }));
  const pools = poolsIn(shown).filter(({ bytes }) => bytes > 0 || host === null);

  const bare: TierMap = {
    tier: `${node.device.name} memory`,
    capacityBytes: node.device.memoryBytes,
    usedBytes: pools.reduce((sum, pool) => sum + pool.bytes, fixed),
    items: [...items, ...pools],
  };
  const behind =
    offload === null || moe === null
      ? { tiers: [], hostExperts: 0, hostHoldsAll: true, homes: [], pageBytes: 0 }
      : // Narrow copies lie beside the experts.
        offloadTiers(config, offload.hostBytes, Math.ceil(expertBytes(moe, config) * (1 + narrowShare(config))));
  const restBytes = pagesOnDevice(config) === "rest" ? Math.max(0, bare.capacityBytes - bare.usedBytes) : 0;
  const device = restBytes > 0 ? withPages(bare, restBytes) : bare;
  return {
    map: {
      tiers: [
        device,
        ...withHost(behind.tiers, [
          ...hostEmbedding(config),
          ...(host === null ? [] : [...host.items, ...poolsIn(stages.length)]),
        ]),
      ],
      kvBlocks: kv.layout.main.capacity,
      kvBytesPerToken: growthPerToken(host === null ? caches.main : [...caches.main, ...host.caches.main]),
    },
    kv: kv.layout,
    weightBytes: stages[shown]!.weightBytes,
    deviceBytes: device.usedBytes,
    expertBytes: sliceBytes,
    hostExperts: behind.hostExperts,
    hostHoldsAll: behind.hostHoldsAll,
    homes: behind.homes,
    pageBytes: behind.pageBytes + statedPageBytes(config) + restBytes,
  };
}

/** The page cache where device memory is the host's too; undefined where there is none, or where the host has memory of its own. */
const pagesOnDevice = ({ node, offload }: PoolConfig): number | "rest" | undefined =>
  hostTier(node) === undefined ? offload?.pageCache : undefined;

/** Device memory that a scenario sets aside for pages of files. What is left over serves as well, if it says so. */
function statedPageBytes(config: PoolConfig): number {
  const pages = pagesOnDevice(config);
  return typeof pages === "number" ? pages : 0;
}

/** The stage with room for the fewest KV blocks; of equal ones, the fullest. */
function fullestStage(stages: readonly StageMemory[], { mainBlocks, pools }: KvPlan): number {
  const block = (stage: number) => pools[0]!.blockBytes[stage]!;
  let fullest = 0;
  for (let stage = 1; stage < stages.length; stage++) {
    const fewer = mainBlocks[fullest]! - mainBlocks[stage]!;
    const fuller = stages[stage]!.fixed + block(stage) - stages[fullest]!.fixed - block(fullest);
    if (fewer > 0 || (fewer === 0 && fuller > 0)) fullest = stage;
  }
  return fullest;
}

/** A draft module's share of the last stage: its weights and its own caches; null where there is no module. */
function draftMemory(
  config: PoolConfig,
  attention: readonly AttentionProgram[],
): { weightBytes: number; caches: readonly LayerCache[] } | null {
  const module = draftConfig(config);
  if (module === null) return null;
  const { model, mapping, formats } = module;
  const moe = moeShape(model);
  const [plan] = stagePlans(model, 1);
  const perRank = moe === null ? 0 : Math.ceil(moe.experts / mapping.ep);
  const sliceBytes = moe === null ? 0 : Math.ceil(expertBytes(moe, module) / mapping.etp);
  const items = weightItems(module, attention, plan!, {
    // Later pipeline stages need an embedding of their own.
    first: config.mapping.pp > 1,
    last: false,
    expertBytes: sliceBytes,
    physicalExpertsPerRank: perRank,
    heldExperts: perRank * plan!.expertLayers,
    heldBytes: perRank * plan!.expertLayers * sliceBytes,
  });
  const hidden = model.hiddenSize;
  // Embedding and hidden state are normed and joined, and the output is normed.
  const joining = storedBytes(2 * hidden * hidden, "bf16") + storedBytes(3 * hidden, formats.norm);
  const modules = draftModules(config);
  const caches = Array.from(plan!.attentionClass, (mixing) => attention[mixing]!.caches).flat();
  return {
    weightBytes: items.reduce((total, item) => total + item.bytes, joining) * modules,
    caches: Array.from({ length: modules }, () => caches).flat(),
  };
}

const bytesIn = (items: readonly MemoryItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);

/** What a stage needs beside its weights and caches. */
function workItems(config: PoolConfig): MemoryItem[] {
  const { model, mapping, scheduler } = config;
  return [
    { name: "page cache", bytes: statedPageBytes(config) },
    { name: "activations", bytes: activationBytesMax(config) },
    {
      name: "communication buffers",
      bytes: stageRanks(mapping) > 1 ? 2 * scheduler.maxBatchTokens * model.hiddenSize * activationBytes : 0,
    },
  ];
}

/**
 * Peak activation memory of a step. It is assumed to be the residual stream, projections and feed-forward intermediates
 * of the largest step, plus float32 logits of one token per sequence and of its draft tokens, or of all tokens of the step.
 */
function activationBytesMax(config: PoolConfig): number {
  const { model, mapping, scheduler } = config;
  const moe = moeShape(model);
  let widest = 0;
  for (const layer of model.layers) {
    const ff = layer.feedForward;
    if (ff.kind === "dense") widest = Math.max(widest, (2 * ff.width) / mapping.tp);
  }
  if (moe !== null) {
    const perToken = (moe.topK * (moe.expertHidden + 2 * (moe.expertWidth / mapping.etp))) / mapping.ep;
    widest = Math.max(widest, perToken);
  }
  const perToken = (4 * model.hiddenSize + widest) * activationBytes;
  const tokens = Math.max(scheduler.maxSequences, scheduler.maxBatchTokens);
  const sampled = Math.min(scheduler.maxSequences * (1 + (config.speculation?.draftTokens ?? 0)), tokens);
  const logits = config.engine.reservesLogits ? tokens : sampled;
  return Math.ceil(scheduler.maxBatchTokens * perToken + logits * (model.vocabSize / mapping.tp) * 4);
}

/** The caches without which a deployment does not start, on a stage. */
function leastCaches({ scheduler }: PoolConfig, kv: KvPlan, stage: number): MemoryItem[] {
  const { reserved, maxBatchTokens } = scheduler;
  return kv.pools.map(({ name, holding, blockBytes }) => {
    const each = blockBytes[stage]!;
    if (reserved !== undefined) {
      const { contexts, tokensMin } = reserved;
      const of = contexts === 1 ? `${tokensMin} tokens` : `${contexts} x ${tokensMin} tokens`;
      const blocks = contexts * holding.peakBlocks(tokensMin, maxBatchTokens);
      return { name: `${name} of ${of}, set aside at start`, bytes: blocks * each };
    }
    const blocks = holding.peakBlocks(1, 1);
    return { name: blocks === 1 ? "one KV block" : `${name} of one token`, bytes: blocks * each };
  });
}

function doesNotFit(
  config: PoolConfig,
  items: readonly MemoryItem[],
  budget: number,
  kv: KvPlan,
  stage: number,
): InfeasibleError {
  const { node, scheduler, model, kvBytes } = config;
  const least = leastCaches(config, kv, stage);
  if (kvBytes !== undefined)
    return new InfeasibleError(
      `the KV cache of ${oneLine(model.name)} needs ${formatBytes(bytesIn(least))} (${least.map(({ name }) => name).join(", ")}), ` +
        `${formatBytes(kvBytes)} are for it (modelCache.kvMemory)`,
    );
  const rows = [...items, ...least];
  const sum = rows.reduce((total, item) => total + item.bytes, 0);
  const width = Math.max(...rows.map((row) => row.name.length));
  const lines = rows.map((row) => `  ${row.name.padEnd(width)}  ${formatBytes(row.bytes)}`);
  return new InfeasibleError(
    `${oneLine(model.name)} does not fit: ${formatBytes(sum)} needed per ${node.device.name}, ` +
      `${formatBytes(budget)} available (${formatBytes(node.device.memoryBytes)} x ${scheduler.memoryUtilisation})\n` +
      lines.join("\n"),
  );
}
