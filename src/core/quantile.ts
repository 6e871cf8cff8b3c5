import { InvariantError } from "./errors.ts";

/**
 * The p-quantile by linear interpolation between order statistics, the convention "type 7" of Hyndman and Fan (1996),
 * which R, NumPy and Excel use by default: with h = (n - 1) p, x[floor h] + (h - floor h)(x[floor h + 1] - x[floor h]).
 * Exact, by selection in expected linear time. NaN when there are no values; the input is not changed.
 */
export function quantile(values: Float64Array, p: number): number {
  return quantiles(values, [p])[0] ?? NaN;
}

/** Several quantiles of the same values, in the order of `ps`; see {@link quantile}. */
export function quantiles(values: Float64Array, ps: readonly number[]): number[] {
  for (const p of ps)
    if (!(p >= 0 && p <= 1)) throw new InvariantError("quantile-level", `p = ${p} is not between 0 and 1`);
  for (let i = 0; i < values.length; i++)
    if (Number.isNaN(values[i]!)) throw new InvariantError("quantile-samples", "a sample is not a number");
  if (values.length === 0) return ps.map(() => NaN);
  const work = values.slice();
  const last = work.length - 1;
  const ranks = [...new Set(ps.flatMap((p) => [Math.floor(last * p), Math.ceil(last * p)]))].sort((a, b) => a - b);
  let from = 0;
  for (const rank of ranks) {
    select(work, from, last, rank);
    from = rank + 1;
  }
  return ps.map((p) => {
    const place = last * p;
    const rank = Math.floor(place);
    const low = work[rank]! + 0;
    const high = work[Math.ceil(place)]! + 0;
    return low === high ? low : low + (place - rank) * (high - low);
  });
}

/** Whether n samples say anything about the p-quantile: at least ten lie beyond it. */
export function enoughSamples(n: number, p: number): boolean {
  return n * (1 - p) >= 10 - 1e-9;
}

/** Reorders values[from..to] so that values[rank] is the one a sort would put there, none greater before it. */
function select(values: Float64Array, from: number, to: number, rank: number): void {
  let low = from;
  let high = to;
  // Bad pivots are possible on hostile orders; past this many rounds a sort bounds the time.
  let rounds = 2 * Math.ceil(Math.log2(to - from + 2)) + 8;
  while (high - low > 16 && rounds-- > 0) {
    const pivot = ninther(values, low, high);
    let left = low - 1;
    let right = high + 1;
    for (;;) {
      do left++;
      while (values[left]! < pivot);
      do right--;
      while (values[right]! > pivot);
      if (left >= right) break;
      const swapped = values[left]!;
      values[left] = values[right]!;
      values[right] = swapped;
    }
    if (rank <= right) high = right;
    else low = right + 1;
  }
  values.subarray(low, high + 1).sort();
}

/** Median of three medians of three, spread over the range. */
function ninther(values: Float64Array, low: number, high: number): number {
  const step = Math.floor((high - low) / 9);
  const triple = (at: number) => middle(values[at]!, values[at + step]!, values[at + 2 * step]!);
  return middle(triple(low), triple(low + 3 * step), triple(low + 6 * step));
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
