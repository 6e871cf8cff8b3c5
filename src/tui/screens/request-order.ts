import type { RequestRows } from "../../sim/result.ts";
import { radixOrder } from "./radix-order.ts";
import { requestColumns } from "./request-columns.ts";
import { type RequestFilter, requestFilter } from "./request-filter.ts";

/** How a table of requests is sorted, and what is left out of it. */
export interface RequestView {
  readonly column: number;
  readonly descending: boolean;
  readonly filter: string;
}

/** The requests that are shown, in their order. */
export interface ShownRequests {
  readonly requests: Uint32Array;
  /** So many of them, the first, have a value in the column; the rest have none. */
  readonly known: number;
  /** Type-7 quantiles of that value over them; NaN without any. */
  readonly median: number;
  readonly p99: number;
  readonly problem: RequestFilter["problem"];
}

interface Kept {
  readonly sorted: { readonly column: number; readonly order: Uint32Array; readonly known: number };
  readonly view: RequestView;
  readonly shown: ShownRequests;
}

/** What was asked for last, of each run: the same rows in the same view are computed once. */
const kept = new WeakMap<RequestRows, Kept>();

/** The requests of a view. Sorting a million takes a fraction of a second; the next call with the same view costs nothing. */
export function shownRequests(rows: RequestRows, view: RequestView): ShownRequests {
  const before = kept.get(rows);
  if (
    before?.view.column === view.column &&
    before.view.descending === view.descending &&
    before.view.filter === view.filter
  )
    return before.shown;
  const { value } = requestColumns[view.column]!;
  const sorted =
    before?.sorted.column === view.column
      ? before.sorted
      : { column: view.column, ...radixOrder(valuesOf(rows, view.column)) };
  const { wanted, problem } = requestFilter(view.filter, rows);
  const { order } = sorted;
  const requests = new Uint32Array(order.length);
  let count = 0;
  let known = 0;
  for (let i = 0; i < sorted.known; i++) if (wanted === null || wanted(order[i]!)) requests[known++] = order[i]!;
  count = known;
  for (let i = sorted.known; i < order.length; i++)
    if (wanted === null || wanted(order[i]!)) requests[count++] = order[i]!;
  const quantile = (p: number) => {
    if (known === 0) return Number.NaN;
    const place = (known - 1) * p;
    const [low, high] = [Math.floor(place), Math.ceil(place)].map((at) => value(rows, requests[at]!)) as [
      number,
      number,
    ];
    return low + (place - Math.floor(place)) * (high - low);
  };
  const [median, p99] = [quantile(0.5), quantile(0.99)];
  if (view.descending) descend(requests.subarray(0, known), (request) => value(rows, request));
  const shown = { requests: requests.subarray(0, count), known, median, p99, problem };
  kept.set(rows, { sorted, view, shown });
  return shown;
}

/** Turns an ascending order round; requests of equal value stay in theirs. */
function descend(requests: Uint32Array, value: (request: number) => number): void {
  requests.reverse();
  for (let from = 0, to = 1; from < requests.length; from = to++) {
    const first = value(requests[from]!);
    while (to < requests.length && value(requests[to]!) === first) to++;
    if (to - from > 1) requests.subarray(from, to).reverse();
  }
}

function valuesOf(rows: RequestRows, column: number): Float64Array {
  const { value } = requestColumns[column]!;
  const values = new Float64Array(rows.count);
  for (let request = 0; request < values.length; request++) values[request] = value(rows, request);
  return values;
}
