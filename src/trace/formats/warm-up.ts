/** A run of rows [from, to). */
export interface RowRun {
  readonly from: number;
  readonly to: number;
}

/**
 * Shortest run of equal rows that counts as warm-up. Engines fill profile runs and graph captures with one dummy token,
 * so every row routes alike, to the bit of its weights; without weights, equal ids alone have to last longer.
 */
const runMin = { withWeights: 32, idsOnly: 64 } as const;

/**
 * Finds warm-up rows: runs of rows with the same set of experts and the same weights. Sets, not lists, because kernels
 * may order equal rows differently.
 */
export class WarmUpDetector {
  readonly runs: RowRun[] = [];
  #hash: readonly [number, number] | null = null;
  #from = 0;
  #row = 0;
  #withWeights = false;

  /** The next row: per layer `topK` ids, and weights in the same order if recorded. */
  push(ids: ArrayLike<number>, weights: ArrayLike<number> | null, topK: number): void {
    const hash = rowHash(ids, weights, topK);
    if (this.#hash === null || hash[0] !== this.#hash[0] || hash[1] !== this.#hash[1]) {
      this.#close();
      this.#hash = hash;
      this.#from = this.#row;
      this.#withWeights = weights !== null;
    }
    this.#row += 1;
  }

  /** The runs found, after the last row. */
  finish(): readonly RowRun[] {
    this.#close();
    this.#from = this.#row;
    return this.runs;
  }

  #close(): void {
    const min = this.#withWeights ? runMin.withWeights : runMin.idsOnly;
    if (this.#row - this.#from >= min) this.runs.push({ from: this.#from, to: this.#row });
  }
}

const weight = new Float32Array(1);
const weightBits = new Uint32Array(weight.buffer);

/**
 * Two 32-bit hashes of a row: the order of layers counts, the order of experts within a layer does not. A run needs
 * dozens of equal hashes in a row, so a chance collision cannot make one.
 */
function rowHash(ids: ArrayLike<number>, weights: ArrayLike<number> | null, topK: number): readonly [number, number] {
  let a = 0;
  let b = 0;
  for (let at = 0; at < ids.length; at += topK) {
    let sumA = 0;
    let sumB = 0;
    for (let i = at; i < at + topK; i++) {
      weight[0] = weights === null ? 0 : weights[i]!;
      const pair = mix(Math.imul(ids[i]! + 1, 0x9e3779b1) ^ weightBits[0]!);
      sumA = (sumA + pair) | 0;
      sumB = (sumB + mix(pair ^ 0x27d4eb2f)) | 0;
    }
    a = (Math.imul(a, 31) + sumA) | 0;
    b = (Math.imul(b, 37) + sumB) | 0;
  }
  return [a, b];
}

/** A bijection of 32-bit integers in which every input bit reaches every output bit. */
function mix(value: number): number {
  const x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const y = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return y ^ (y >>> 16);
}

/** Rows that are in a run of each list: what all layers agree on. Runs ascend and do not overlap. */
export function commonRuns(lists: readonly (readonly RowRun[])[]): RowRun[] {
  const [first = [], ...others] = lists;
  let common: RowRun[] = [...first];
  for (const runs of others)
    common = common.flatMap((a) =>
      runs
        .map((b) => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }))
        .filter((run) => run.from < run.to),
    );
  return common;
}

export function rowsIn(runs: readonly RowRun[]): number {
  return runs.reduce((sum, run) => sum + run.to - run.from, 0);
}

/** Where a row ends up when the runs are taken out; null for a row inside a run. */
export function rowAfterDropping(row: number, runs: readonly RowRun[]): number | null {
  let before = 0;
  for (const { from, to } of runs) {
    if (row < from) break;
    if (row < to) return null;
    before += to - from;
  }
  return row - before;
}
