/** Which experts the rows of a layer chose, and the places of the pairs (row, expert) when they are sorted by expert. */
export interface PairPlan {
  /** Pairs of the most loaded expert, and a few more: sizes that recur let a backend use its memory again. */
  readonly capacity: number;
  /** [rows x topK] place of each chosen logit in the flat logits. */
  readonly chosen: Int32Array;
  /** [experts x capacity] row that fills each slot; `rows` (a row of zeros) where it is empty. */
  readonly rowOfSlot: Int32Array;
  /** [experts x capacity] pair that fills each slot; `rows x topK` where it is empty. */
  readonly pairOfSlot: Int32Array;
  /** [rows x topK] slot of each pair. */
  readonly slotOfPair: Int32Array;
  readonly counts: Float32Array;
}

/** The `topK` highest logits of each row of [rows, experts]; the lower expert wins a tie. */
export function sortPairs(logits: Float32Array, rows: number, experts: number, topK: number): PairPlan {
  const expertOf = new Int32Array(rows * topK);
  const counts = new Float32Array(experts);
  for (let row = 0; row < rows; row++) {
    const at = row * experts;
    for (let k = 0; k < topK; k++) {
      let best = -1;
      for (let e = 0; e < experts; e++) {
        if (best >= 0 && logits[at + e]! <= logits[at + best]!) continue;
        let taken = false;
        for (let j = 0; j < k; j++) taken ||= expertOf[row * topK + j] === e;
        if (!taken) best = e;
      }
      expertOf[row * topK + k] = best;
      counts[best]!++;
    }
  }
  const grain = Math.max(1, Math.round((rows * topK) / experts / 16));
  const capacity = grain * Math.ceil(counts.reduce((most, count) => Math.max(most, count), 1) / grain);
  const rowOfSlot = new Int32Array(experts * capacity).fill(rows);
  const pairOfSlot = new Int32Array(experts * capacity).fill(rows * topK);
  const slotOfPair = new Int32Array(rows * topK);
  const chosen = new Int32Array(rows * topK);
  const filled = new Int32Array(experts);
  for (let pair = 0; pair < expertOf.length; pair++) {
    const expert = expertOf[pair]!;
    const row = Math.floor(pair / topK);
    const slot = expert * capacity + filled[expert]!++;
    rowOfSlot[slot] = row;
    pairOfSlot[slot] = pair;
    slotOfPair[pair] = slot;
    chosen[pair] = row * experts + expert;
  }
  return { capacity, chosen, rowOfSlot, pairOfSlot, slotOfPair, counts };
}
