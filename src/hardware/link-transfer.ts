import type { Link } from "./device.ts";

const nsPerSecond = 1e9;

/** Time of `bytes` over a link that nothing else uses, ns: latency + bytes / (bandwidth x efficiency). No bytes, no time. */
export function transferNs(link: Link, bytes: number): number {
  return bytes > 0 ? link.latencyNs + (bytes * nsPerSecond) / (link.bytesPerSecond * link.efficiency) : 0;
}
