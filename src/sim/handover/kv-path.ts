/**
 * The way of a KV cache from a data-parallel rank of a `prefill` pool to one of a `decode` pool. All devices of either side
 * work side by side, each over its own link: the busiest one decides.
 */
export interface KvPath {
  /** Bytes that the busiest device of the sender sends for the first `tokens` tokens of a prompt. */
  sentBytes(tokens: number): number;
  /** Bytes that the busiest device of the receiver gets. */
  receivedBytes(tokens: number): number;
  /** Bytes that all devices of the receiver get. */
  totalBytes(tokens: number): number;
  /** Rate of the link of one device, bytes per second, and the time until the first byte arrives, ns. */
  readonly bytesPerSecond: number;
  readonly latencyNs: number;
  /** Layers that are sent one after the other. */
  readonly layers: number;
}
