import type { PoolConfig } from "../config.ts";
import type { Holding } from "./holding.ts";
import type { CachePlaces } from "./kv-places.ts";
import { blocksAfforded, type PoolPlan, poolPlans } from "./kv-pools.ts";

/** A pool of equal blocks: how many there are, and how many of them a sequence holds. */
export interface KvPool {
  readonly capacity: number;
  readonly holding: Holding;
}

/** Where sequences keep their caches. */
export interface KvLayout {
  /** Full caches, and those that share their pool. Prefixes are shared here. */
  readonly main: KvPool;
  /** Pools of windows and of states, where they have their own. */
  readonly apart: readonly KvPool[];
  /** Most tokens of one sequence that the pools hold, whatever its steps. */
  readonly sequenceTokensMax: number;
}

/** The caches of one pipeline stage, and what its weights leave for them. */
export interface StageCaches {
  readonly caches: CachePlaces;
  readonly freeBytes: number;
}

export interface KvPlan {
  readonly layout: KvLayout;
  /** The main pool, then those apart. */
  readonly pools: readonly (PoolPlan & KvPool)[];
  /** [stages] blocks of the main pool: as many as the stage has room for and the deployment has use for. */
  readonly mainBlocks: readonly number[];
  /** Whether the shortest sequence finds room, and whatever the engine sets aside at start. */
  readonly fits: boolean;
}

/**
 * Divides the free bytes of every stage over the pools of the engine. The stage with the least room for a pool decides
 * its size. No pool is larger than the most sequences of the longest context could use, nor than what the engine sets aside.
 */
export function planKv(config: PoolConfig, stages: readonly StageCaches[]): KvPlan {
  const { chunkedPrefill, contextTokensMax, maxBatchTokens, maxSequences } = config.scheduler;
  // Models in turn have the memory for caches that the scenario gives them.
  const reserved = config.kvBytes === undefined ? config.scheduler.reserved : undefined;
  const plans = poolPlans(
    config,
    stages.map(({ caches }) => caches),
  );
  const stepTokens = chunkedPrefill ? maxBatchTokens : contextTokensMax;
  const unsized = [plans.main, plans.windows, plans.states].filter((plan) => plan !== null);
  const contexts = reserved?.contexts ?? maxSequences;
  const most = unsized.map(({ holding }) => holding.peakBlocks(contextTokensMax, stepTokens) * contexts);
  const afforded = stages.map(({ freeBytes }, stage) =>
    blocksAfforded(plans, stage, freeBytes).map((blocks, p) => Math.min(blocks, most[p]!)),
  );
  const pools = unsized.map((pool, p) => ({ ...pool, capacity: Math.min(...afforded.map((blocks) => blocks[p]!)) }));
  const [main, ...apart] = pools;
  const hasRoom = (tokens: number, sequences = 1) =>
    pools.every(({ holding, capacity }) => holding.peakBlocks(tokens, stepTokens) * sequences <= capacity);
  return {
    layout: { main: main!, apart, sequenceTokensMax: largestWith(hasRoom, contextTokensMax) },
    pools,
    mainBlocks: afforded.map(([blocks]) => blocks!),
    fits: hasRoom(reserved?.tokensMin ?? 1, reserved?.contexts),
  };
}

/** The largest whole number up to `max` with a property; 0 where none has it. All smaller ones must have it too. */
function largestWith(has: (value: number) => boolean, max: number): number {
  let low = 0;
  let high = max;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (has(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
