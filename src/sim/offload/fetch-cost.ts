import type { Resource } from "../../core/resource.ts";

/** Cost of fetching one expert. The devices of an expert rank fetch their slices side by side. */
export interface FetchCost {
  /** Bytes of the slice of one device. */
  readonly bytes: number;
  /** Host link of one device; 0 where the device reads the host's memory in place. */
  readonly linkNs: number;
  /** Part of it that does not depend on the bytes. */
  readonly latencyNs: number;
  /** Time for which the link is held beside, while the processor copies the slice out of pageable memory. */
  readonly stagingNs: number;
  /** Part of it in which a link that several devices have in common is busy with the slice. */
  readonly uplinkNs: number;
  /** Bytes that the rank's devices read from memory; 0 where none lies behind them. */
  readonly memoryBytes: number;
}

/** A link to the host that other devices use too, and how many devices of the rank are behind it. */
export interface Uplink {
  readonly link: Resource;
  readonly devices: number;
}
