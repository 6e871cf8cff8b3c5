import type { PoolConfig } from "../config.ts";
import { kvShards } from "../mapping.ts";
import { Holding } from "./holding.ts";
import { sharedPages } from "./kv-pages.ts";
import type { CachePlaces } from "./kv-places.ts";

/** Equal blocks of certain bytes, and how many of them a sequence holds. */
export interface PoolPlan {
  readonly name: string;
  /** Its blocks, in words. */
  readonly blocks: string;
  readonly blockTokens: number;
  /** [stages] */
  readonly blockBytes: readonly number[];
  readonly holding: Holding;
}

/** The pools of a deployment, without their sizes; null where nothing goes into one. */
export interface PoolPlans {
  readonly main: PoolPlan;
  readonly windows: (PoolPlan & { readonly tokensPerToken: number }) | null;
  readonly states: (PoolPlan & { readonly bytesPerByte: number; readonly most: number }) | null;
}

/**
 * Tokens of a block. Along the context a cache is sharded in blocks as large as the scheduler's: one block of the account is a block
 * on every rank (vLLM, virtual blocks of context parallelism; SGLang, --dcp-size "widens page size").
 */
export const kvBlockTokens = (config: Pick<PoolConfig, "scheduler" | "mapping" | "cpKvCache">): number =>
  config.scheduler.blockTokens * kvShards(config);

export function poolPlans(config: PoolConfig, stages: readonly CachePlaces[]): PoolPlans {
  const { prefixCaching, maxSequences } = config.scheduler;
  const blockTokens = kvBlockTokens(config);
  const { caches } = config.engine;
  // A recurrent layer keeps a state for every draft token until it is verified.
  const statesHeld = (prefixCaching ? caches.statesPerSequence : 1) + (config.speculation?.draftTokens ?? 0);
  const pages = sharedPages(
    stages.map(({ main }) => main),
    blockTokens,
  );
  const main: PoolPlan = {
    name: "KV cache",
    blocks: `blocks of ${pages.blockTokens} tokens`,
    blockTokens: pages.blockTokens,
    blockBytes: pages.blockBytes,
    holding: new Holding(
      pages.groups.map((group) => (group.kind === "state" ? { ...group, copies: group.copies * statesHeld } : group)),
    ),
  };
  const windowTokens = stages.flatMap(({ windows }) => windows.map((window) => window.windowTokens));
  const windows = {
    name: "window cache",
    blocks: `blocks of ${blockTokens} tokens`,
    blockTokens,
    blockBytes: stages.map((stage) => Math.ceil(sum(stage.windows, (cache) => cache.bytesPerToken) * blockTokens)),
    holding: new Holding([{ kind: "window", blockTokens, copies: 1, windowTokens: Math.max(0, ...windowTokens) }]),
    tokensPerToken: [caches.windows, caches.chunks].find((pool) => typeof pool === "number") ?? 1,
  };
  const states = {
    name: "state cache",
    blocks: "states",
    blockTokens: 0,
    blockBytes: stages.map((stage) => Math.ceil(sum(stage.states, (cache) => cache.bytes))),
    holding: new Holding([{ kind: "state", copies: statesHeld }]),
    bytesPerByte: typeof caches.states === "number" ? caches.states : 1,
    // States of prefixes are kept while there is room.
    most: prefixCaching ? Number.POSITIVE_INFINITY : statesHeld * maxSequences,
  };
  return {
    main,
    windows: windowTokens.length === 0 ? null : windows,
    states: stages.every((stage) => stage.states.length === 0) ? null : states,
  };
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

/**
 * Blocks of each pool in `freeBytes` of a stage: main, windows, states. States take their share first, in bytes.
 * Windows take theirs of the rest, in tokens (SGLang, model_runner_kv_cache_mixin.py).
 */
export function blocksAfforded({ main, windows, states }: PoolPlans, stage: number, freeBytes: number): number[] {
  if (freeBytes < 0) return [main, windows, states].filter((pool) => pool !== null).map(() => 0);
  const blocks: number[] = [];
  let rest = freeBytes;
  if (states !== null) {
    const { bytesPerByte, most } = states;
    const bytes = states.blockBytes[stage]!;
    const held = Math.min(most, quotient((freeBytes * bytesPerByte) / (1 + bytesPerByte), bytes));
    if (bytes > 0) rest -= held * bytes;
    blocks.push(held);
  }
  const mainBytes = main.blockBytes[stage]!;
  if (windows === null) return [quotient(rest, mainBytes), ...blocks];
  const bytes = windows.blockBytes[stage]!;
  const windowBlocks = (windows.tokensPerToken * main.blockTokens) / windows.blockTokens;
  const mainBlocks = quotient(rest, mainBytes === 0 ? 0 : mainBytes + windowBlocks * bytes);
  const apart = mainBytes === 0 ? quotient(rest, bytes) : Math.floor(mainBlocks * windowBlocks);
  return [mainBlocks, bytes === 0 ? Number.POSITIVE_INFINITY : apart, ...blocks];
}

/** Whole blocks in `bytes`; infinite where a block takes none. */
function quotient(bytes: number, blockBytes: number): number {
  return blockBytes === 0 ? Number.POSITIVE_INFINITY : Math.floor(bytes / blockBytes);
}
