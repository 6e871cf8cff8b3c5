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
  #key = "";
  #from = 0;
  #row = 0;
  #withWeights = false;

  /** The next row: per layer `topK` ids, and weights in the same order if recorded. */
  push(ids: ArrayLike<number>, weights: ArrayLike<number> | null, topK: number): void {
    const key = rowKey(ids, weights, topK);
    if (key !== this.#key) {
      this.#close();
      this.#key = key;
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

function rowKey(ids: ArrayLike<number>, weights: ArrayLike<number> | null, topK: number): string {
  let key = "";
  for (let at = 0; at < ids.length; at += topK) {
    const layer: string[] = [];
    for (let i = at; i < at + topK; i++) layer.push(weights === null ? `${ids[i]}` : `${ids[i]}:${weights[i]}`);
    key += `${layer.sort().join()};`;
  }
  return key;
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
