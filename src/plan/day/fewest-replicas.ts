/** How a fleet of so many replicas did. */
export interface Tried {
  readonly holds: boolean;
  readonly misses: number;
}

/** The fewest replicas that hold, and whether one more of each hold too. */
export interface Fewest {
  readonly counts: readonly number[];
  readonly oneMoreHolds: boolean;
}

/** Doublings in a row without fewer misses after which more replicas are taken not to help. */
const uselessMax = 2;

/**
 * The fewest replicas that hold, of several kinds in proportion to `base` and then each alone: the common factor by doubling
 * and bisection, then kind by kind by bisection while the others stay. It takes for granted that more replicas hold where fewer do.
 * @param tryOut runs a fleet; null: the search is over
 * @param most replicas of all kinds together
 * @returns null where `tryOut` gave up; `counts` empty where no fleet holds
 */
export async function fewestReplicas(
  base: readonly number[],
  most: number,
  tryOut: (counts: readonly number[]) => Promise<Tried | null>,
): Promise<Fewest | null> {
  const known = new Map<string, Tried>();
  const stopped = new Error("stopped");
  const tried = async (counts: readonly number[]): Promise<Tried> => {
    const key = counts.join(" ");
    const found = known.get(key) ?? (await tryOut(counts));
    if (found === null) throw stopped;
    known.set(key, found);
    return found;
  };
  try {
    const times = (factor: number) => base.map((count) => count * factor);
    const factor = await smallestFactor(times, most, tried);
    if (factor === null) return { counts: [], oneMoreHolds: false };
    let counts = times(factor);
    for (const [kind, count] of counts.entries()) {
      if (base.length === 1 && base[0] === 1) break;
      counts = counts.with(
        kind,
        await bisect(0, count, async (fewer) => (await tried(counts.with(kind, fewer))).holds),
      );
    }
    const more = counts.map((count) => count + 1);
    return { counts, oneMoreHolds: (await tried(more)).holds };
  } catch (error) {
    if (error === stopped) return null;
    throw error;
  }
}

/** The smallest factor that holds; null where none within `most` replicas does, or more do not help. */
async function smallestFactor(
  times: (factor: number) => readonly number[],
  most: number,
  tried: (counts: readonly number[]) => Promise<Tried>,
): Promise<number | null> {
  let below = 0;
  let factor = 1;
  let misses = Number.POSITIVE_INFINITY;
  let useless = 0;
  for (;;) {
    const found = await tried(times(factor));
    if (found.holds) return bisect(below, factor, async (fewer) => (await tried(times(fewer))).holds);
    useless = found.misses < misses ? 0 : useless + 1;
    misses = Math.min(misses, found.misses);
    below = factor;
    const largest = Math.floor(most / times(1).reduce((sum, count) => sum + count, 0));
    if (useless >= uselessMax || factor >= largest) return null;
    factor = Math.min(2 * factor, largest);
  }
}

/** The smallest number above `below` that holds, where `holding` does. */
async function bisect(below: number, holding: number, holds: (count: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [below, holding];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
