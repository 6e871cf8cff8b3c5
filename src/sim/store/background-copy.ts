import type { Resource } from "../../core/resource.ts";

/** Background work that moves experts is cut into chunks of about this size: a demand waits for one at most. */
const chunkBytesMax = 2 << 20;

export const chunksOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / chunkBytesMax));

/** Work on a memory that nobody waits for yet. */
export function copyInBackground(memory: Resource, atNs: number, ns: number, bytes: number, priority = 0): number {
  const chunks = chunksOf(bytes);
  return memory.submit(atNs, chunks, ns / chunks, bytes / chunks, priority);
}
