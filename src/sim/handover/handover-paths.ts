import { InvariantError } from "../../core/errors.ts";
import { kvShards } from "../mapping.ts";
import type { Pool } from "../pool.ts";
import { type PoolLayout, together } from "../pool-layout.ts";
import { handoverLinks } from "./handover-links.ts";
import { keptLayers } from "./kept-layers.ts";
import type { KvPath } from "./kv-path.ts";
import { type KvSide, KvTransfer } from "./kv-transfer.ts";

/** The ways between the replicas of pools, each worked out once. */
export class HandoverPaths {
  /**
   * [replicas of all pools][replicas of all pools] null from a replica that does not prefill, or to one that does not
   * decode.
   */
  private readonly paths: readonly (readonly (KvPath | null)[])[];

  constructor(pools: readonly Pool[], layouts: readonly PoolLayout[]) {
    this.paths = pools.flatMap((sender, from) => {
      const ways = pools.map((receiver) =>
        sender.role === "prefill" && receiver.role === "decode"
          ? new KvTransfer(sideOf(sender), sideOf(receiver))
          : null,
      );
      return sender.replicas.map((_, source) =>
        pools.flatMap((receiver, to) =>
          receiver.replicas.map((__, target): KvPath | null => {
            const transfer = ways[to]!;
            if (transfer === null) return null;
            const near = together(layouts[from]!, source, layouts[to]!, target, sender.config.node);
            const links = handoverLinks(sender.config.node, receiver.config.node, near);
            if (links === null)
              throw new InvariantError(
                "handover-path",
                `no link from ${sender.config.node.device.name} of ${sender.config.name} to ${receiver.config.name}`,
              );
            return { transfer, links, layers: sender.config.model.layers.length };
          }),
        ),
      );
    });
  }

  /** From one replica to another. */
  between(from: number, to: number): KvPath {
    const path = this.paths[from]![to];
    if (path === null || path === undefined) throw new InvariantError("handover-path", `from ${from} to ${to}`);
    return path;
  }
}

function sideOf({ config, cost, draft }: Pool): KvSide {
  const { tp, cp, pp } = config.mapping;
  return {
    tp,
    cp,
    shards: kvShards(config),
    pp,
    layers: keptLayers(config, cost.attention, draft?.layers.attention ?? []),
  };
}
