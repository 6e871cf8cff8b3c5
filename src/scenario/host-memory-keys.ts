import { z } from "zod";
import { quantity } from "../core/quantity.ts";

/** Keys of how memory behind the devices is used for experts. */
export const hostMemoryKeys = {
  hostCache: z
    .enum(["inclusive", "exclusive"])
    .default("inclusive")
    .describe(
      "Whether host memory in front of disks keeps the experts that devices take in. exclusive: they leave it, and what a device " +
        "gives up is written back into it over the other direction of the host link.",
    ),
  pageCache: z
    .union([quantity("bytes", "zero"), z.literal("rest")], { error: "bytes such as 32GB, or rest" })
    .optional()
    .describe(
      "Memory of each node for pages of the files that experts are read from, which every read of a disk passes, and in which the " +
        "host computes what it is to compute; rest: all that " +
        "experts (hostMemory) leave, or in unified memory all that weights, slots and KV cache leave. Default: reads pass none, but for flags of an engine " +
        "that maps the file.",
    ),
  pageCopy: quantity("bytesPerSecond")
    .optional()
    .describe(
      "Rate at which what is read from files is copied out of the page cache; default 10.5GB/s, one processor thread.",
    ),
  tiering: z
    .enum(["static", "lru"])
    .default("static")
    .describe(
      "Whether experts stay in the memory (DDR, CXL) that they were put into; lru: one that is read in a farther memory changes " +
        "places with the least recently read one of the nearest.",
    ),
};
