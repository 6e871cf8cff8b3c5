import type { PoolConfig } from "../config.ts";

/** What the ledger says of how memory behind the devices is used for experts: topic and detail. */
export function offloadMemoryEntries({ offload, node }: PoolConfig): [topic: string, detail: string][] {
  const entries: [string, string][] = [];
  if (offload?.pageCache !== undefined)
    entries.push([
      "page cache",
      "whole experts, least recently read first out; a hit is one copy at the rate of memory, a miss takes as long as the disk; " +
        "no page faults, no read-ahead, no reclaim" +
        (node.device.hostLink === null ? "; copies do not slow the device's own reads of the memory" : ""),
    ]);
  if (offload?.hostCache === "exclusive")
    entries.push([
      "exclusive host memory",
      "writes as fast as reads; an expert goes back while the next one comes, and what has no room is dropped",
    ]);
  if (offload?.tiering === "lru")
    entries.push([
      "moves between memories",
      "writes as fast as reads; one swap at a time, whenever a device reads an expert in a farther memory",
    ]);
  return entries;
}
