import type { PoolConfig } from "../config.ts";
import { stagingBytesPerSecond } from "./transfer-costs.ts";

/** What the ledger says of how memory behind the devices is used for experts: topic and detail. */
export function offloadMemoryEntries({ offload, node }: PoolConfig): [topic: string, detail: string][] {
  const entries: [string, string][] = [];
  if (offload?.pageCache !== undefined)
    entries.push([
      "page cache",
      "whole experts, least recently read first out; one thread copies what is read, at " +
        `${(offload.pageCopyBytesPerSecond ?? stagingBytesPerSecond) / 1e9} GB/s; ` +
        "no page faults, no read-ahead, no reclaim" +
        (offload.miss?.policy.needs.includes("host") === true
          ? "; processors compute in the pages, and stand still for what is not there, at the rate of the disk; at the start " +
            "the last experts of the file that no device holds are there"
          : "") +
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
