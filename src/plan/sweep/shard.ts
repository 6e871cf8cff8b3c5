import { UsageError } from "../../core/errors.ts";

/** A part of the configurations: those whose place leaves `index` - 1 when divided by `count`. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

const shardsMax = 100_000;

/** Reads `3/8`. */
export function parseShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text.trim()) ?? []).map(Number);
  if (!(index >= 1 && index <= count && count <= shardsMax))
    throw new UsageError(`--shard: expected i/n with 1 <= i <= n <= ${shardsMax}, found "${text}"`);
  return { index, count };
}

/** Whether a configuration is part of a shard; neighbours, which cost alike, go to different ones. */
export const inShard = (shard: Shard | null, point: number): boolean =>
  shard === null || point % shard.count === shard.index - 1;

/** Configurations of a shard, of so many in all. */
export const pointsIn = (shard: Shard | null, points: number): number =>
  shard === null ? points : Math.max(0, Math.ceil((points - (shard.index - 1)) / shard.count));
