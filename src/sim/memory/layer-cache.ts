/**
 * A cache that a sequence keeps of one layer on one rank. A layer may keep several, such as a window and compressed
 * entries.
 */
export type LayerCache =
  /** An entry for every token of the context. */
  | { readonly kind: "full"; readonly bytesPerToken: number }
  /** Entries of the newest tokens only. `chunked`: the window starts anew with every chunk (Llama 4). */
  | {
      readonly kind: "window";
      readonly bytesPerToken: number;
      readonly windowTokens: number;
      readonly chunked: boolean;
    }
  /** A state of constant size. */
  | { readonly kind: "state"; readonly bytes: number };

/** Bytes that one more token adds for good. */
export function growthPerToken(caches: readonly LayerCache[]): number {
  return caches.reduce((sum, cache) => sum + (cache.kind === "full" ? cache.bytesPerToken : 0), 0);
}
