import type { Link } from "../../hardware/device.ts";
import type { HandoverLinks } from "./handover-links.ts";
import type { KvTransfer } from "./kv-transfer.ts";

/**
 * The way of a KV cache from a data-parallel rank of a `prefill` pool to one of a `decode` pool. All devices of either side
 * work side by side, each over its own link: the busiest one decides.
 */
export interface KvPath {
  readonly transfer: KvTransfer;
  readonly links: HandoverLinks;
  /** Layers that are sent one after the other. */
  readonly layers: number;
}

/** Time that a link is busy with `bytes`, ns. */
export function busyNs({ bytesPerSecond, efficiency }: Link, bytes: number): number {
  return (bytes * 1e9) / (bytesPerSecond * efficiency);
}

/** Time until the first byte arrives, ns. */
export function latencyNs({ sending, receiving }: HandoverLinks): number {
  return Math.max(sending.latencyNs, receiving.latencyNs);
}

/** Time of a prompt of `tokens` tokens that nothing else disturbs, ns. */
export function undisturbedNs({ transfer, links }: KvPath, tokens: number): number {
  const sentNs = busyNs(links.sending, transfer.sentBytes(tokens));
  return latencyNs(links) + Math.max(sentNs, busyNs(links.receiving, transfer.receivedBytes(tokens)));
}
