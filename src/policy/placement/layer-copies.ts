import { InfeasibleError } from "../../core/errors.ts";

/** Ranks as the copies of one layer find them. */
export interface LayerRanks {
  /** [ranks] copies that each may hold. */
  readonly rooms: ArrayLike<number>;
  /** [ranks] relative speed: a rank is as busy as its load over its speed. */
  readonly speeds: ArrayLike<number>;
  /** Whether a rank may hold two copies of an expert. */
  readonly twins: boolean;
}

/**
 * Copies of the experts of one layer on ranks, an expert's load shared equally among its copies. Loads of ranks are kept
 * up to date while copies come, go and swap.
 */
export class LayerCopies {
  readonly experts: number;
  readonly ranks: number;
  readonly loads: ArrayLike<number>;
  readonly on: LayerRanks;
  /** [experts] copies of each. */
  readonly counts: Uint16Array;
  /** [ranks] the experts on each, a copy each. */
  readonly byRank: number[][];
  /** [ranks][experts] copies of an expert on a rank. */
  private readonly held: Uint16Array;

  constructor(loads: ArrayLike<number>, on: LayerRanks, byRank: readonly (readonly number[])[] = []) {
    this.loads = loads;
    this.on = on;
    this.experts = loads.length;
    this.ranks = on.rooms.length;
    this.counts = new Uint16Array(this.experts);
    this.byRank = Array.from({ length: this.ranks }, () => []);
    this.held = new Uint16Array(this.ranks * this.experts);
    for (const [rank, held] of byRank.entries()) for (const expert of held) this.add(expert, rank);
  }

  holds(rank: number, expert: number): boolean {
    return this.held[rank * this.experts + expert]! > 0;
  }

  /** Whether a rank has a place for a copy of the expert. */
  fits(expert: number, rank: number): boolean {
    return this.hasRoom(rank) && this.mayHold(expert, rank);
  }

  hasRoom(rank: number): boolean {
    return this.byRank[rank]!.length < this.on.rooms[rank]!;
  }

  /** Whether a rank may hold a further copy of the expert, if it had a place. */
  mayHold(expert: number, rank: number): boolean {
    return this.on.twins || !this.holds(rank, expert);
  }

  add(expert: number, rank: number): void {
    this.byRank[rank]!.push(expert);
    this.held[rank * this.experts + expert]! += 1;
    this.counts[expert]! += 1;
  }

  remove(expert: number, rank: number): void {
    this.byRank[rank]!.splice(this.byRank[rank]!.lastIndexOf(expert), 1);
    this.held[rank * this.experts + expert]! -= 1;
    this.counts[expert]! -= 1;
  }

  /** Moves a copy to another rank, into the place of the copy that leaves it where there is one. */
  move(expert: number, from: number, to: number): void {
    this.remove(expert, from);
    this.add(expert, to);
  }

  /** Exchanges two copies of different ranks; each takes the other's place. */
  swap(expert: number, rank: number, other: number, otherRank: number): void {
    this.byRank[rank]![this.byRank[rank]!.lastIndexOf(expert)] = other;
    this.byRank[otherRank]![this.byRank[otherRank]!.lastIndexOf(other)] = expert;
    this.held[rank * this.experts + expert]! -= 1;
    this.held[otherRank * this.experts + expert]! += 1;
    this.held[otherRank * this.experts + other]! -= 1;
    this.held[rank * this.experts + other]! += 1;
  }

  /** Load of one copy of an expert. */
  share(expert: number): number {
    return this.loads[expert]! / Math.max(1, this.counts[expert]!);
  }

  /** [ranks] load over speed. */
  busy(): Float64Array {
    return Float64Array.from(this.byRank, (held, rank) => {
      let sum = 0;
      for (const expert of held) sum += this.share(expert);
      return sum / this.on.speeds[rank]!;
    });
  }

  /**
   * Makes room for a copy of the expert by moving others along a shortest chain of ranks, and adds it. False: there is no way at
   * all, since a chain is an augmenting path of the flow of copies to ranks.
   */
  squeezeIn(expert: number): boolean {
    const { ranks } = this;
    const cameFrom = new Int32Array(ranks).fill(-2);
    const moving = new Int32Array(ranks);
    const queue: number[] = [];
    for (let rank = 0; rank < ranks; rank++)
      if (this.on.rooms[rank]! > 0 && this.mayHold(expert, rank)) {
        cameFrom[rank] = -1;
        queue.push(rank);
      }
    for (const rank of queue) {
      if (this.hasRoom(rank)) {
        let at = rank;
        for (; cameFrom[at]! >= 0; at = cameFrom[at]!) this.move(moving[at]!, cameFrom[at]!, at);
        this.add(expert, at);
        return true;
      }
      for (let next = 0; next < ranks; next++) {
        if (cameFrom[next] !== -2 || this.on.rooms[next] === 0) continue;
        const mover = this.byRank[rank]!.find((held) => this.mayHold(held, next));
        if (mover === undefined) continue;
        cameFrom[next] = rank;
        moving[next] = mover;
        queue.push(next);
      }
    }
    return false;
  }
}

/** Whether copies keep to the rooms, have no twins where these are forbidden and leave no expert out. */
export function isAllowed({ on, byRank, counts }: LayerCopies): boolean {
  return (
    counts.every((count) => count > 0) &&
    byRank.every((held, rank) => held.length <= on.rooms[rank]! && (on.twins || new Set(held).size === held.length))
  );
}

/** Places that copies can fill: a rank without twins has at most one copy of each expert. */
export function usablePlaces({ rooms, twins }: LayerRanks, experts: number): number {
  let places = 0;
  for (let rank = 0; rank < rooms.length; rank++) places += twins ? rooms[rank]! : Math.min(rooms[rank]!, experts);
  return places;
}

/** Most copies of an expert. */
export function copiesMost({ rooms, twins }: LayerRanks): number {
  let withRoom = 0;
  let places = 0;
  for (let rank = 0; rank < rooms.length; rank++) {
    if (rooms[rank]! > 0) withRoom += 1;
    places += rooms[rank]!;
  }
  return twins ? places : withRoom;
}

/**
 * [experts] copies of each: one, and then one more for the expert with the highest load per copy (the first of equals), until
 * all places are used. An expert has at most a copy per rank where twins are forbidden.
 */
export function copyHottest(loads: ArrayLike<number>, on: LayerRanks, places: number): Uint16Array {
  const counts = new Uint16Array(loads.length).fill(1);
  const most = copiesMost(on);
  for (let used = loads.length; used < places; used++) {
    let hottest = -1;
    for (let expert = 0; expert < loads.length; expert++)
      if (
        counts[expert]! < most &&
        (hottest < 0 || loads[expert]! / counts[expert]! > loads[hottest]! / counts[hottest]!)
      )
        hottest = expert;
    if (hottest < 0) break;
    counts[hottest]! += 1;
  }
  return counts;
}

/**
 * Packs so many copies of each expert onto the ranks, beside those that are there: the heaviest copy first, to the rank that
 * would be done with it first (Graham's longest processing time rule, for unequal ranks). A copy without a place takes one of
 * a chain of moves. Where twins are forbidden and counts cannot be met, other experts get the copies.
 */
export function packCopies(
  loads: ArrayLike<number>,
  counts: ArrayLike<number>,
  on: LayerRanks,
  fixed: readonly (readonly number[])[] = [],
): LayerCopies {
  const copies = new LayerCopies(loads, on, fixed);
  const ranks = on.rooms.length;
  const load = new Float64Array(ranks);
  for (const [rank, held] of fixed.entries())
    for (const expert of held) load[rank]! += loads[expert]! / counts[expert]!;
  const order: number[] = [];
  for (let expert = 0; expert < loads.length; expert++)
    for (let copy = copies.counts[expert]!; copy < counts[expert]!; copy++) order.push(expert);
  const weight = (expert: number) => loads[expert]! / counts[expert]!;
  order.sort((a, b) => weight(b) - weight(a) || a - b);
  const waiting: number[] = [];
  for (const expert of order) {
    let first = -1;
    let soonest = 0;
    for (let rank = 0; rank < ranks; rank++) {
      if (!copies.fits(expert, rank)) continue;
      const done = (load[rank]! + weight(expert)) / on.speeds[rank]!;
      if (first >= 0 && done >= soonest) continue;
      first = rank;
      soonest = done;
    }
    if (first < 0) waiting.push(expert);
    else {
      copies.add(expert, first);
      load[first]! += weight(expert);
    }
  }
  for (const expert of waiting) placeSomewhere(copies, expert);
  return copies;
}

/**
 * Places a copy for which no rank has room as things lie. Where no moves make any, the place goes to the expert with the highest
 * load per copy that may have it.
 */
export function placeSomewhere(copies: LayerCopies, expert: number): void {
  if (copies.squeezeIn(expert)) return;
  if (copies.counts[expert] === 0) throw new InfeasibleError(`no rank has a place for expert ${expert} of a layer`);
  Array.from({ length: copies.experts }, (_, other) => other)
    .filter((other) => other !== expert)
    .sort((a, b) => copies.share(b) - copies.share(a) || a - b)
    .some((other) => copies.squeezeIn(other));
}

/** Relative improvement below which a move is rounding noise. */
const leastImprovement = 1e-12;

/**
 * Relieves the busiest rank: as long as it helps, exchanges one of its copies with one of another rank, or moves it to one with
 * room, such that the busier of the two is as little busy as possible. At most `movesMax` times. Returns how often.
 */
export function relieveBusiest(copies: LayerCopies, movesMax = Infinity): number {
  const { speeds } = copies.on;
  const busy = copies.busy();
  for (let moves = 0; ; moves++) {
    let from = 0;
    for (let rank = 1; rank < copies.ranks; rank++) if (busy[rank]! > busy[from]!) from = rank;
    let best = busy[from]! * (1 - leastImprovement);
    let chosen: {
      readonly expert: number;
      readonly to: number;
      readonly partner: number;
      readonly moved: number;
    } | null = null;
    const mine = [...new Set(copies.byRank[from])];
    for (let to = 0; to < copies.ranks; to++) {
      if (to === from || copies.on.rooms[to] === 0) continue;
      const theirs: number[] = copies.hasRoom(to) ? [-1, ...copies.byRank[to]!] : copies.byRank[to]!;
      for (const expert of mine) {
        if (!copies.mayHold(expert, to)) continue;
        const share = copies.share(expert);
        for (const partner of theirs) {
          const moved = partner < 0 ? share : share - copies.share(partner);
          if (moved <= 0) continue;
          const after = Math.max(busy[from]! - moved / speeds[from]!, busy[to]! + moved / speeds[to]!);
          if (after >= best || (partner >= 0 && !copies.mayHold(partner, from))) continue;
          best = after;
          chosen = { expert, to, partner, moved };
        }
      }
    }
    if (chosen === null || moves >= movesMax) return moves;
    const { expert, to, partner, moved } = chosen;
    if (partner < 0) copies.move(expert, from, to);
    else copies.swap(expert, from, partner, to);
    busy[from]! -= moved / speeds[from]!;
    busy[to]! += moved / speeds[to]!;
  }
}
