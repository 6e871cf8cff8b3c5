/** Work of one rank. */
export interface RankLoad {
  /** (token, expert) pairs. */
  readonly pairs: number;
  /** Experts with at least one token. */
  readonly distinct: number;
}

/** Work of the rank with the most pairs. */
export function heaviestOf(counts: ArrayLike<number>, ranks: number): RankLoad {
  const perRank = counts.length / ranks;
  let heaviest: RankLoad = { pairs: 0, distinct: 0 };
  for (let rank = 0; rank < ranks; rank++) {
    let pairs = 0;
    let distinct = 0;
    for (let expert = rank * perRank; expert < (rank + 1) * perRank; expert++) {
      pairs += counts[expert]!;
      if (counts[expert]! > 0) distinct++;
    }
    if (pairs > heaviest.pairs) heaviest = { pairs, distinct };
  }
  return heaviest;
}
