import { parseQuantity } from "../../core/units.ts";
import { requestStatusWords } from "../../report/labels.ts";
import type { RequestRows } from "../../sim/result.ts";
import { columnAt, type RequestColumn, requestColumns } from "./request-columns.ts";

/** Whether a request is wanted. */
type Wanted = (request: number) => boolean;

/** What a text asks for, and what is wrong with it; what is wrong asks for nothing. */
export interface RequestFilter {
  /** null where all are wanted. */
  readonly wanted: Wanted | null;
  readonly problem: string | null;
}

/** Words that stand alone. */
const words: Readonly<Record<string, (rows: RequestRows) => Wanted>> = {
  preempted:
    ({ preemptions }) =>
    (request) =>
      preemptions[request]! > 0,
  cached:
    ({ cachedTokens }) =>
    (request) =>
      cachedTokens[request]! > 0,
  warmup:
    ({ warmup }) =>
    (request) =>
      request < warmup,
};

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  ">=": (value, limit) => value >= limit,
  "<=": (value, limit) => value <= limit,
  "!=": (value, limit) => value !== limit && !Number.isNaN(value),
  ">": (value, limit) => value > limit,
  "<": (value, limit) => value < limit,
  "=": (value, limit) => value === limit,
};

/**
 * Reads a filter: terms with spaces between them, all of which have to hold. A term compares a column (`ttft>500ms`, `class=chat`,
 * `replica!=2`), is a word (`preempted`, `rejected`), an id, or a part of the name of a class; with `!` before it, it must not hold.
 */
export function requestFilter(text: string, rows: RequestRows): RequestFilter {
  const terms = text
    .trim()
    .replace(/\s*(>=|<=|!=|>|<|=)\s*/g, "$1")
    .replace(/(\d)\s+(ns|us|µs|ms|s|min|m|h)(?=\s|$)/g, "$1$2")
    .split(/\s+/)
    .filter((term) => term !== "");
  const wanted: Wanted[] = [];
  let problem: string | null = null;
  for (const term of terms) {
    const isNot = term.startsWith("!") && !term.startsWith("!=");
    const found = termOf(isNot ? term.slice(1) : term, rows);
    if (typeof found === "string") problem ??= found;
    else wanted.push(isNot ? (request) => !found(request) : found);
  }
  return { wanted: wanted.length === 0 ? null : (request) => wanted.every((holds) => holds(request)), problem };
}

/** What a term asks for, or what is wrong with it. */
function termOf(term: string, rows: RequestRows): Wanted | string {
  const [, name, sign, value] = /^([^<>=!]*)(>=|<=|!=|>|<|=)(.*)$/.exec(term) ?? [];
  if (name !== undefined) return comparisonOf(name.toLowerCase(), sign!, value!, rows);
  const word = term.toLowerCase();
  const known = Object.hasOwn(words, word) ? words[word]!(rows) : null;
  if (known !== null) return known;
  const status = requestStatusWords.indexOf(word === "notarrived" ? "not arrived" : word);
  if (status >= 0) return (request) => rows.status[request] === status;
  if (/^\d+$/.test(word)) return (request) => request === Number(word);
  const classes = rows.classes.map((one) => one.toLowerCase().includes(word));
  return (request) => classes[rows.classOf[request]!]!;
}

function comparisonOf(name: string, sign: string, value: string, rows: RequestRows): Wanted | string {
  const column = requestColumns[columnAt(name)];
  if (column === undefined) return `no column "${name}": there are ${requestColumns.map(({ id }) => id).join(", ")}`;
  if (column.names !== undefined) return nameOf(column, rows, sign, value);
  const limit = parseQuantity(value, column.unit === "duration" ? "duration" : "count");
  if (limit === null)
    return `${name}${sign} takes ${column.unit === "duration" ? "a duration, such as 500ms" : "a whole number"}`;
  const holds = comparisons[sign]!;
  return (request) => holds(column.value(rows, request), limit);
}

function nameOf(
  { id, names, value: placeOf }: RequestColumn,
  rows: RequestRows,
  sign: string,
  value: string,
): Wanted | string {
  const known = names!(rows);
  if (sign !== "=" && sign !== "!=") return `${id} is a name: compare it with = or !=`;
  const at = known.findIndex((name) => name.toLowerCase() === value.toLowerCase());
  if (at < 0) return `${id} is one of ${known.join(", ")}`;
  return (request) => (placeOf(rows, request) === at) === (sign === "=");
}
