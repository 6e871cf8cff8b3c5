/** Copies of experts on ranks, of one layer. */
export interface ExpertCopies {
  readonly experts: number;
  readonly ranks: number;
  /** [copies] expert of each copy; one of `experts` or above is an empty place. Every expert with tokens needs a copy. */
  readonly copyExpert: ArrayLike<number>;
  /** [copies] rank it lies on. */
  readonly copyRank: ArrayLike<number>;
  /** [ranks] relative speed; absent: all alike. */
  readonly rankSpeed?: ArrayLike<number>;
}

/**
 * Splits the tokens of each expert among its copies so that the slowest rank has as little as possible: the linear program of LPLB
 * (SGLang `lplb_solver.py`), solved exactly. LPLB itself takes five steps of an interior point method instead.
 *
 * The least load M of the slowest rank is max over sets of ranks S of (tokens that can go nowhere but to S) / (speed of S). For a
 * given M the split is a flow from experts to ranks of room M x speed. Where it does not fit, the ranks that the surplus can reach
 * are such a set and give a larger M (Newton's method on the parametric flow). The flow found so far stays, as room only grows. M
 * is a lower bound at every step, so the first that fits is the optimum.
 *
 * Made once for a placement; splitting allocates nothing.
 */
export class TokenSplitter {
  readonly copies: number;
  readonly #experts: number;
  readonly #ranks: number;
  readonly #copyExpert: Uint16Array;
  readonly #copyRank: Uint16Array;
  readonly #speed: Float64Array;
  readonly #speedSum: number;
  readonly #whole: boolean;
  /** Copies by expert: those of e are at #copyAt[#firstCopy[e] .. #firstCopy[e + 1]). */
  readonly #firstCopy: Uint32Array;
  readonly #copyAt: Uint32Array;
  /** Copies of experts that have several, by rank. */
  readonly #firstOnRank: Uint32Array;
  readonly #onRank: Uint32Array;
  /** Experts with several copies. */
  readonly #copied: Uint16Array;
  readonly #load: Float64Array;
  readonly #surplus: Float64Array;
  /** Copy by which a rank was reached, and by which an expert was. */
  readonly #rankFrom: Int32Array;
  readonly #expertFrom: Int32Array;
  readonly #queue: Uint16Array;

  /**
   * @param whole splits into whole tokens: with room for a whole number of tokens on every rank, each path carries whole ones, so
   * that the heaviest rank has the least that whole tokens allow. For ranks that are all alike.
   */
  constructor({ experts, ranks, copyExpert, copyRank, rankSpeed }: ExpertCopies, whole = false) {
    this.#whole = whole;
    this.copies = copyExpert.length;
    this.#experts = experts;
    this.#ranks = ranks;
    this.#copyExpert = Uint16Array.from(copyExpert);
    this.#copyRank = Uint16Array.from(copyRank);
    this.#speed = rankSpeed === undefined ? new Float64Array(ranks).fill(1) : Float64Array.from(rankSpeed);
    this.#speedSum = this.#speed.reduce((sum, speed) => sum + speed, 0);
    const copiesOf = (expert: number) => this.#firstCopy[expert + 1]! - this.#firstCopy[expert]!;
    [this.#firstCopy, this.#copyAt] = grouped(this.#copyExpert, experts, () => true);
    this.#copied = Uint16Array.from({ length: experts }, (_, expert) => expert).filter(
      (expert) => copiesOf(expert) > 1,
    );
    [this.#firstOnRank, this.#onRank] = grouped(this.#copyRank, ranks, (copy) => {
      const expert = this.#copyExpert[copy]!;
      return expert < experts && copiesOf(expert) > 1;
    });
    this.#load = new Float64Array(ranks);
    this.#surplus = new Float64Array(experts);
    this.#rankFrom = new Int32Array(ranks);
    this.#expertFrom = new Int32Array(experts);
    this.#queue = new Uint16Array(experts);
  }

  /**
   * @param tokens [experts] tokens of each expert, at least 0
   * @param share [copies] receives the tokens of each copy; 0 in empty places
   * @returns load / speed of the slowest rank, which no split can be below
   */
  split(tokens: ArrayLike<number>, share: Float64Array): number {
    const load = this.#load.fill(0);
    share.fill(0);
    let sum = 0;
    for (let expert = 0; expert < this.#experts; expert++) {
      const count = tokens[expert]!;
      sum += count;
      const first = this.#firstCopy[expert]!;
      if (this.#firstCopy[expert + 1]! - first !== 1) continue;
      const copy = this.#copyAt[first]!;
      share[copy] = count;
      load[this.#copyRank[copy]!]! += count;
    }
    let slowest = this.#whole ? Math.ceil(sum / this.#speedSum) : sum / this.#speedSum;
    for (let rank = 0; rank < this.#ranks; rank++) slowest = Math.max(slowest, load[rank]! / this.#speed[rank]!);
    for (const expert of this.#copied) this.#surplus[expert] = tokens[expert]!;
    // What rounding may leave over: no token is lost, as the rest goes to the first copy.
    const noise = sum * 1e-13;
    for (const expert of this.#copied)
      while (this.#surplus[expert]! > noise) {
        if (this.#sendAlongPath(expert, slowest, share, noise)) continue;
        const least = this.#leastOfReached();
        // Rounding: a set that is full already cannot ask for more.
        if (!(least > slowest)) break;
        slowest = least;
      }
    for (const expert of this.#copied) {
      if (this.#surplus[expert] === 0) continue;
      const copy = this.#copyAt[this.#firstCopy[expert]!]!;
      share[copy]! += this.#surplus[expert]!;
      load[this.#copyRank[copy]!]! += this.#surplus[expert]!;
    }
    for (let rank = 0; rank < this.#ranks; rank++) slowest = Math.max(slowest, load[rank]! / this.#speed[rank]!);
    return slowest;
  }

  /**
   * Sends surplus of an expert along a shortest path to a rank with room, moving tokens of other experts between their
   * copies on the way. False: no rank with room can be reached.
   */
  #sendAlongPath(from: number, slowest: number, share: Float64Array, noise: number): boolean {
    this.#rankFrom.fill(-1);
    this.#expertFrom.fill(-2);
    this.#expertFrom[from] = -1;
    this.#queue[0] = from;
    let queued = 1;
    for (let next = 0; next < queued; next++) {
      const expert = this.#queue[next]!;
      for (let at = this.#firstCopy[expert]!; at < this.#firstCopy[expert + 1]!; at++) {
        const copy = this.#copyAt[at]!;
        const rank = this.#copyRank[copy]!;
        if (this.#rankFrom[rank]! >= 0) continue;
        this.#rankFrom[rank] = copy;
        const room = slowest * this.#speed[rank]! - this.#load[rank]!;
        if (room > noise) {
          this.#send(rank, room, share);
          return true;
        }
        for (let on = this.#firstOnRank[rank]!; on < this.#firstOnRank[rank + 1]!; on++) {
          const other = this.#onRank[on]!;
          const owner = this.#copyExpert[other]!;
          if (share[other]! <= 0 || this.#expertFrom[owner] !== -2) continue;
          this.#expertFrom[owner] = other;
          this.#queue[queued++] = owner;
        }
      }
    }
    return false;
  }

  /** Along the path that ends at a rank: what its room, the surplus and the tokens that make way allow. */
  #send(end: number, room: number, share: Float64Array): void {
    let amount = room;
    let rank = end;
    let expert: number;
    for (;;) {
      expert = this.#copyExpert[this.#rankFrom[rank]!]!;
      const giver = this.#expertFrom[expert]!;
      if (giver < 0) break;
      amount = Math.min(amount, share[giver]!);
      rank = this.#copyRank[giver]!;
    }
    amount = Math.min(amount, this.#surplus[expert]!);
    this.#surplus[expert]! -= amount;
    this.#load[end]! += amount;
    rank = end;
    for (;;) {
      const taker = this.#rankFrom[rank]!;
      share[taker]! += amount;
      const giver = this.#expertFrom[this.#copyExpert[taker]!]!;
      if (giver < 0) return;
      share[giver]! -= amount;
      rank = this.#copyRank[giver]!;
    }
  }

  /** Load that the ranks reached last have at least: all tokens of the experts reached, and those that never had a choice. */
  #leastOfReached(): number {
    let load = 0;
    let speed = 0;
    for (let rank = 0; rank < this.#ranks; rank++) {
      if (this.#rankFrom[rank]! < 0) continue;
      load += this.#load[rank]!;
      speed += this.#speed[rank]!;
    }
    // Tokens of experts with several copies on these ranks are all of experts that were reached.
    for (const expert of this.#copied) if (this.#expertFrom[expert] !== -2) load += this.#surplus[expert]!;
    return this.#whole ? Math.ceil(load / speed) : load / speed;
  }
}

/** Indices by group as counting sort leaves them: where each group begins, and the indices; only those that are wanted. */
function grouped(
  groupOf: Uint16Array,
  groups: number,
  wanted: (index: number) => boolean,
): [first: Uint32Array, at: Uint32Array] {
  const chosen = [...groupOf.keys()].filter((index) => groupOf[index]! < groups && wanted(index));
  const first = new Uint32Array(groups + 1);
  for (const index of chosen) first[groupOf[index]! + 1]! += 1;
  for (let group = 0; group < groups; group++) first[group + 1]! += first[group]!;
  const next = first.slice();
  const at = new Uint32Array(chosen.length);
  for (const index of chosen) at[next[groupOf[index]!]!++] = index;
  return [first, at];
}
