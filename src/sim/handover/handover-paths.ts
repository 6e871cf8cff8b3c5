import type { Pool } from "../pool.ts";
import type { KvPath } from "./kv-path.ts";

/** The ways between the data-parallel ranks of pools, each worked out once. */
export class HandoverPaths {
  /** [data-parallel ranks] index of the pool. */
  private readonly poolOf: readonly number[];
  /** [sending pools][receiving pools] */
  private readonly paths: readonly KvPath[][];

  constructor(pools: readonly Pool[]) {
    this.paths = pools.map((sender) => pools.map((receiver) => kvPath(sender, receiver)));
    this.poolOf = pools.flatMap(({ dpRanks }, pool) => dpRanks.map(() => pool));
  }

  between(from: number, to: number): KvPath {
    return this.paths[this.poolOf[from]!]![this.poolOf[to]!]!;
  }
}

function kvPath(sender: Pool, receiver: Pool): KvPath {
  const link = sender.config.node.device.scaleOut ?? sender.config.node.device.scaleUp!;
  const per = sender.memory.map.kvBytesPerToken;
  const got = receiver.memory.map.kvBytesPerToken;
  return {
    sentBytes: (tokens) => per * tokens,
    receivedBytes: (tokens) => got * tokens,
    totalBytes: (tokens) => got * tokens * receiver.config.mapping.tp,
    bytesPerSecond: link.bytesPerSecond * link.efficiency,
    latencyNs: link.latencyNs,
    layers: sender.config.model.layers.length,
  };
}
