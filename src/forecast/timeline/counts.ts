import { kvUseOf } from "../../sim/memory/kv-use.ts";
import type { Pool } from "../../sim/pool.ts";
import type { Replica } from "../../sim/replica.ts";
import type { TimeWindow } from "./span-store.ts";
import type { Count } from "./timeline.ts";

/** Most counts that are kept. */
const countsMax = 60_000;

interface Hits {
  hits: number;
  accesses: number;
}

/** Records what replicas count at each step: requests, use of the KV cache, hits of their expert caches since the last one. */
export class Counts {
  readonly list: Count[] = [];
  private readonly window: TimeWindow;
  /** [replicas, counted over all pools] */
  private readonly before = new Map<number, Hits>();

  constructor(window: TimeWindow) {
    this.window = window;
  }

  begins(process: number, { memory }: Pool, replica: Replica, atNs: number): void {
    this.add(process, atNs, "requests", [replica.runningCount(), replica.waitingCount()]);
    this.add(process, atNs, "kv", [kvUseOf(replica.dpRanks, memory.kv), 0]);
  }

  ends(process: number, pool: Pool, replica: Replica, atNs: number): void {
    const { ep, pp } = pool.config.mapping;
    const { caches } = pool.experts.offloads;
    if (caches.length === 0) return;
    const own = pool.ownIndex(replica);
    const now = { hits: 0, accesses: 0 };
    for (let i = own * pp * ep; i < (own + 1) * pp * ep; i++) {
      now.hits += caches[i]!.hits;
      now.accesses += caches[i]!.accesses;
    }
    const last = this.before.get(replica.place.index);
    const hits = now.hits - (last?.hits ?? 0);
    const accesses = now.accesses - (last?.accesses ?? 0);
    this.before.set(replica.place.index, now);
    if (accesses > 0) this.add(process, atNs, "cache", [hits / accesses, 0]);
  }

  private add(process: number, atNs: number, kind: Count["kind"], values: Count["values"]): void {
    const { fromNs, toNs } = this.window;
    if (atNs < fromNs || atNs >= toNs || this.list.length === countsMax) return;
    this.list.push({ process, atNs, kind, values });
  }
}
