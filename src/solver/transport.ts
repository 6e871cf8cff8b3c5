/**
 * Assigns items to bins at least cost, at most `rooms[bin]` items to a bin: a transportation problem with unit supplies, solved
 * exactly by one shortest augmenting path an item. A path goes over bins alone, since the cheapest item of a bin that moves on to
 * another one is known; so 256 items on 32 bins take milliseconds.
 * @param costs [items][bins] finite
 * @returns [items] bin of each, or null where the bins have too few places
 */
export function assignToRooms(costs: Float64Array, rooms: ArrayLike<number>): Uint16Array | null {
  const bins = rooms.length;
  const items = costs.length / bins;
  const binOf = new Int32Array(items).fill(-1);
  const used = new Uint32Array(bins);
  /** [from][to] least extra cost of moving an item of one bin to another, and that item. */
  const extra = new Float64Array(bins * bins);
  const mover = new Int32Array(bins * bins);
  const distance = new Float64Array(bins);
  const before = new Int32Array(bins);
  /** [bins] whether items came or went since the costs of moving them were worked out. */
  const changed = new Uint8Array(bins).fill(1);
  for (let item = 0; item < items; item++) {
    for (let bin = 0; bin < bins; bin++) if (changed[bin] === 1) extra.fill(Infinity, bin * bins, (bin + 1) * bins);
    for (let other = 0; other < item; other++) {
      const from = binOf[other]!;
      if (changed[from] === 0) continue;
      const at = other * bins;
      for (let to = 0; to < bins; to++) {
        const more = costs[at + to]! - costs[at + from]!;
        if (more >= extra[from * bins + to]!) continue;
        extra[from * bins + to] = more;
        mover[from * bins + to] = other;
      }
    }
    changed.fill(0);
    for (let bin = 0; bin < bins; bin++) distance[bin] = rooms[bin]! > 0 ? costs[item * bins + bin]! : Infinity;
    before.fill(-1);
    relax(extra, distance, before, rooms);
    let end = -1;
    for (let bin = 0; bin < bins; bin++)
      if (used[bin]! < rooms[bin]! && distance[bin]! < Infinity && (end < 0 || distance[bin]! < distance[end]!))
        end = bin;
    if (end < 0) return null;
    used[end]! += 1;
    for (; before[end]! >= 0; end = before[end]!) {
      binOf[mover[before[end]! * bins + end]!] = end;
      changed[end] = 1;
    }
    binOf[item] = end;
    changed[end] = 1;
  }
  return Uint16Array.from(binOf);
}

/** Relative improvement below which a shorter path is rounding noise, which could go round in circles. */
const noise = 1e-12;

/** Shortest ways from where the item could go first, by Bellman and Ford: moving an item on may save cost. */
function relax(extra: Float64Array, distance: Float64Array, before: Int32Array, rooms: ArrayLike<number>): void {
  const bins = distance.length;
  for (let round = 1, changed = true; changed && round < bins; round++) {
    changed = false;
    for (let from = 0; from < bins; from++) {
      if (distance[from] === Infinity) continue;
      for (let to = 0; to < bins; to++) {
        if (to === from || rooms[to] === 0) continue;
        const way = distance[from]! + extra[from * bins + to]!;
        if (!(way < distance[to]! - noise * Math.abs(distance[to]!)) && !(distance[to] === Infinity && way < Infinity))
          continue;
        if (leadsTo(before, to, from)) continue;
        distance[to] = way;
        before[to] = from;
        changed = true;
      }
    }
  }
}

/** Whether the way to `bin` passes `start`: rounding alone could close a circle, since there are none of negative cost. */
function leadsTo(before: Int32Array, start: number, bin: number): boolean {
  for (let at = bin; at >= 0; at = before[at]!) if (at === start) return true;
  return false;
}
