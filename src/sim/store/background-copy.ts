import type { Resource } from "../../core/resource.ts";

/** Background work that moves experts is cut into chunks of about this size: a demand waits for one at most. */
const chunkBytesMax = 2 << 20;

/** Work on a memory that nobody waits for yet. */
export function copyInBackground(memory: Resource, atNs: number, ns: number, bytes: number): number {
  const chunks = Math.max(1, Math.ceil(bytes / chunkBytesMax));
  return memory.submit(atNs, chunks, ns / chunks, bytes / chunks, 0);
}
