import { parseQuantity } from "../../core/units.ts";
import type { PlanCandidate, PlanDocument } from "../../plan/answer/plan-document.ts";
import { candidateStates } from "../../plan/search/track.ts";
import type { FailureCause } from "../../report/plan-failures.ts";
import { type PlanColumn, planColumns } from "./plan-columns.ts";
import { radixOrder } from "./radix-order.ts";

/** How a table of candidates is sorted, and what is left out of it. */
export interface CandidateView {
  readonly objective: number;
  /** Place of the column among those that have values. */
  readonly sort: number;
  readonly descending: boolean;
  readonly filter: string;
  /** What excluded those that are shown; null: whatever did. */
  readonly cause: Pick<FailureCause, "status" | "cause"> | null;
}

/** The candidates that are shown, in their order. */
export interface ShownCandidates {
  readonly columns: readonly PlanColumn[];
  /** Place among the columns of the one by which they are sorted. */
  readonly sorted: number;
  readonly rows: Uint32Array;
  /** What is wrong with the filter; what is wrong leaves nothing out. */
  readonly problem: string | null;
}

interface Kept {
  readonly view: CandidateView;
  readonly order: { readonly order: Uint32Array; readonly known: number };
  readonly shown: ShownCandidates;
}

/** What was asked for last, of each plan. */
const kept = new WeakMap<PlanDocument, Kept>();

/** The candidates of a view. The next call with the same view costs nothing, one with another filter no sorting. */
export function shownCandidates(document: PlanDocument, view: CandidateView): ShownCandidates {
  const before = kept.get(document);
  if (before !== undefined && sameOrder(before.view, view) && sameChoice(before.view, view)) return before.shown;
  const columns =
    before?.view.objective === view.objective ? before.shown.columns : planColumns(document, view.objective);
  const sortable = columns.flatMap(({ value }, i) => (value === null ? [] : [i]));
  const sorted = sortable[view.sort % sortable.length]!;
  const { candidates } = document;
  const value = columns[sorted]!.value!;
  const order =
    before !== undefined && sameOrder(before.view, view)
      ? before.order
      : radixOrder(Float64Array.from(candidates, value));
  const { wanted, problem } = filterOf(document, columns, view);
  const rows = order.order.filter((place) => wanted(place));
  if (view.descending) {
    // What is not known stays at the end.
    let known = 0;
    for (const place of rows) if (!Number.isNaN(value(candidates[place]!))) known += 1;
    rows.subarray(0, known).reverse();
  }
  const shown = { columns, sorted, rows, problem };
  kept.set(document, { view, order, shown });
  return shown;
}

const sameOrder = (a: CandidateView, b: CandidateView): boolean => a.objective === b.objective && a.sort === b.sort;
const sameChoice = (a: CandidateView, b: CandidateView): boolean =>
  a.descending === b.descending && a.filter === b.filter && a.cause === b.cause;

type Wanted = (place: number) => boolean;

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  ">=": (value, limit) => value >= limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  "<": (value, limit) => value < limit,
  "=": (value, limit) => value === limit,
};

/** Reads a filter: terms with spaces between them, all of which have to hold. A term is a status, a comparison (`devices<=8`), or a part of a text. */
function filterOf(
  document: PlanDocument,
  columns: readonly PlanColumn[],
  { filter, cause }: CandidateView,
): { readonly wanted: Wanted; readonly problem: string | null } {
  const { candidates } = document;
  const tests: Wanted[] = [];
  let problem: string | null = null;
  if (cause !== null)
    tests.push((place) => {
      const { status, cause: own } = candidates[place]!;
      return status === cause.status && (own ?? "SLOs") === cause.cause;
    });
  for (const term of filter.trim().toLowerCase().split(/\s+/)) {
    if (term === "") continue;
    const [, name, sign, limit] = /^([a-z]+)(>=|<=|>|<|=)(\d.*)$/.exec(term) ?? [];
    if (name !== undefined) {
      const found = comparisonOf(columns, name, sign!, limit!, candidates);
      if (typeof found === "string") problem ??= found;
      else tests.push(found);
    } else if ((candidateStates as readonly string[]).includes(term))
      tests.push((place) => candidates[place]!.status === term);
    else {
      const texts = textsOf(document);
      tests.push((place) => texts[place]!.includes(term));
    }
  }
  return { wanted: (place) => tests.every((holds) => holds(place)), problem };
}

function comparisonOf(
  columns: readonly PlanColumn[],
  name: string,
  sign: string,
  text: string,
  candidates: readonly PlanCandidate[],
): Wanted | string {
  const column = columns.find(({ id }) => id === name);
  const names = columns.flatMap(({ id }) => id ?? []).join(", ");
  if (column === undefined) return `no column "${name}": there are ${names}`;
  const quantity = parseQuantity(text, column.unit === "duration" ? "duration" : "ratio");
  if (quantity === null)
    return `${name}${sign} takes ${column.unit === "duration" ? "a duration, such as 20ms" : "a number"}`;
  const limit = column.unit === "duration" ? quantity / 1e6 : quantity;
  const holds = comparisons[sign]!;
  return (place) => holds(column.value!(candidates[place]!), limit);
}

const lowerTexts = new WeakMap<PlanDocument, readonly string[]>();

/** What a filter looks for parts in, in small letters, of each candidate. */
function textsOf(document: PlanDocument): readonly string[] {
  const before = lowerTexts.get(document);
  if (before !== undefined) return before;
  const texts = document.candidates.map(({ id, name, site, status, cause, binding, reason }) =>
    `${id} ${name} ${site} ${status} ${cause ?? ""} ${binding ?? ""} ${reason ?? ""}`.toLowerCase(),
  );
  lowerTexts.set(document, texts);
  return texts;
}
