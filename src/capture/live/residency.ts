/**
 * Which experts of one layer stay on the device after a call, written as plainly as the rule is. All experts of the
 * call count as used, in their order. Then experts are evicted until the rest fits the slots; those of the call are
 * spared, unless it has more experts than there are slots. A static set never changes. The caller counts hits, by what
 * is resident at the start of a call. This shares no code with the simulator's caches: the two are held against each
 * other.
 */
export interface Residency {
  /** Experts that stay on the device between calls. */
  readonly resident: ReadonlySet<number>;
  /** Books a call; afterwards `resident` is what stays. */
  call(experts: readonly number[]): void;
  /**
   * An absent expert comes ahead of its use, in place of the first to be evicted that is not spared where there is no room. Returns
   * which one left, null where there was room, or "full" where nothing may leave: the expert then does not come.
   */
  enter(expert: number, spared: ReadonlySet<number>): number | null | "full";
}

export const liveCaches = ["lru", "lfu", "fifo", "static"] as const;
export type LiveCache = (typeof liveCaches)[number];

/** `popularity` holds the uses of each expert over the run, for the static set. */
export function createResidency(cache: LiveCache, slots: number, popularity: readonly number[]): Residency {
  if (cache === "static") {
    const order = [...popularity.keys()].sort((a, b) => popularity[b]! - popularity[a]! || a - b);
    return { resident: new Set(order.slice(0, slots)), call: () => {}, enter: () => "full" };
  }
  return new Evicting(cache, slots);
}

interface Entry {
  readonly loaded: number;
  used: number;
  uses: number;
}

class Evicting implements Residency {
  readonly #cache: Exclude<LiveCache, "static">;
  readonly #slots: number;
  readonly #entries = new Map<number, Entry>();
  #clock = 0;
  resident: ReadonlySet<number> = new Set();

  constructor(cache: Exclude<LiveCache, "static">, slots: number) {
    this.#cache = cache;
    this.#slots = slots;
  }

  call(experts: readonly number[]): void {
    for (const expert of experts) {
      const now = this.#clock++;
      const entry = this.#entries.get(expert);
      if (entry === undefined) this.#entries.set(expert, { loaded: now, used: now, uses: 1 });
      else {
        entry.used = now;
        entry.uses++;
      }
    }
    const spared = new Set(experts.length <= this.#slots ? experts : []);
    while (this.#entries.size > this.#slots) this.#entries.delete(this.#victim(spared)!);
    this.resident = new Set(this.#entries.keys());
  }

  enter(expert: number, spared: ReadonlySet<number>): number | null | "full" {
    const victim = this.#entries.size < this.#slots ? null : this.#victim(spared);
    if (victim === undefined) return "full";
    if (victim !== null) this.#entries.delete(victim);
    const now = this.#clock++;
    this.#entries.set(expert, { loaded: now, used: now, uses: 1 });
    this.resident = new Set(this.#entries.keys());
    return victim;
  }

  /** The first to be evicted that is not spared; undefined where all are. */
  #victim(spared: ReadonlySet<number>): number | undefined {
    const candidates = [...this.#entries].filter(([expert]) => !spared.has(expert));
    return candidates.length === 0 ? undefined : candidates.reduce((a, b) => (this.#before(b[1], a[1]) ? b : a))[0];
  }

  /** Whether `a` is evicted before `b`. */
  #before(a: Entry, b: Entry): boolean {
    switch (this.#cache) {
      case "lru":
        return a.used < b.used;
      case "fifo":
        return a.loaded < b.loaded;
      case "lfu":
        return a.uses === b.uses ? a.used < b.used : a.uses < b.uses;
    }
  }
}
