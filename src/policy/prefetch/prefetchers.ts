import { perfect } from "./perfect.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";

/** Prefetchers of experts by the name a scenario uses. */
export const prefetchers = { perfect } as const satisfies Record<string, PrefetchPolicy>;

export type PrefetcherName = keyof typeof prefetchers;
