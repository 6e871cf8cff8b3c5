import type { Mapping } from "../mapping.ts";
import { emptyBatch, type RankBatch } from "./batch.ts";

/**
 * What every device of a context-parallel group computes of the batches of its data-parallel rank. Prompt tokens are divided over
 * the group, so that each device scores as many pairs as the others (zig-zag or interleaved positions, as SGLang's prefill context
 * parallelism and Ring Attention deal them), against all keys. Decoded tokens are on every device of the group; of a sharded cache
 * each reads its part of their keys.
 */
export class ContextShares {
  private readonly cp: number;
  /** Parts of the cache. */
  private readonly shards: number;
  /** [data-parallel ranks] */
  private readonly shares: readonly RankBatch[];

  constructor({ cp, dp }: Mapping, shards: number, windows: number) {
    this.cp = cp;
    this.shards = shards;
    this.shares = cp === 1 ? [] : Array.from({ length: dp }, () => emptyBatch(windows));
  }

  /** The batches of a step as one device has them; reused from step to step. */
  of(batches: readonly RankBatch[]): readonly RankBatch[] {
    if (this.cp === 1) return batches;
    for (let g = 0; g < batches.length; g++) this.fill(this.shares[g]!, batches[g]!);
    return this.shares;
  }

  private fill(share: RankBatch, batch: RankBatch): void {
    const { cp, shards } = this;
    // The rank with most tokens decides.
    share.prefillTokens = Math.ceil(batch.prefillTokens / cp);
    share.keyTokens = batch.keyTokens;
    share.decodeTokens = batch.decodeTokens;
    share.tokens = share.prefillTokens + batch.decodeTokens;
    share.decodeSequences = batch.decodeSequences;
    share.sequences = batch.decodeSequences + Math.min(batch.sequences - batch.decodeSequences, share.prefillTokens);
    share.longestPrompt = Math.ceil(batch.longestPrompt / cp);
    share.longestPromptContext = batch.longestPromptContext;
    share.sampled = batch.sampled;
    for (let w = 0; w < share.decodeKeys.length; w++) {
      share.decodeKeys[w] = batch.decodeKeys[w]! / shards;
      share.decodePairs[w] = batch.decodePairs[w]! / shards;
      share.prefillPairs[w] = batch.prefillPairs[w]! / cp;
      share.prefillKeys[w] = batch.prefillKeys[w]!;
    }
  }
}

/** Tokens that a device of a context-parallel group has of a batch. */
export const deviceTokens = (batch: RankBatch, cp: number): number =>
  cp === 1 ? batch.tokens : Math.ceil(batch.prefillTokens / cp) + batch.decodeTokens;
