import { type AxisValue, type Design, pathsOf } from "../design/design.ts";
import type { Outcome } from "../job/job.ts";
import { outcomeFigures } from "../job/outcome-figures.ts";

/** A configuration of a sweep with its outcome. */
export interface ResultRow {
  /** Place in the design, from 0. */
  readonly point: number;
  readonly key: string;
  readonly values: readonly AxisValue[];
  readonly outcome: Outcome;
}

/** A column of a table of results: numbers where every value is one, and null for none. */
export type ResultColumn =
  | { readonly name: string; readonly kind: "number"; readonly data: readonly (number | null)[] }
  | { readonly name: string; readonly kind: "flag"; readonly data: readonly (boolean | null)[] }
  | { readonly name: string; readonly kind: "text"; readonly data: readonly (string | null)[] };

/** Results as columns: the place in the design and the key, a column for each path, what became of it, its figures. */
export function resultColumns(design: Design, rows: readonly ResultRow[]): ResultColumn[] {
  const of = <T>(pick: (row: ResultRow) => T): T[] => rows.map(pick);
  return [
    { name: "point", kind: "number", data: of(({ point }) => point) },
    { name: "key", kind: "text", data: of(({ key }) => key) },
    ...pathsOf(design).map((path) => pathColumn(path, rows)),
    { name: "status", kind: "text", data: of(({ outcome }) => outcome.status) },
    { name: "reason", kind: "text", data: of(({ outcome }) => outcome.reason) },
    { name: "load", kind: "text", data: of(({ outcome }) => outcome.verdict) },
    { name: "passed", kind: "flag", data: of(({ outcome }) => outcome.passed) },
    { name: "binding", kind: "text", data: of(({ outcome }) => outcome.binding) },
    { name: "strain", kind: "number", data: of(({ outcome }) => outcome.strain) },
    { name: "strainAtBest", kind: "number", data: of(({ outcome }) => outcome.strainAtBest) },
    ...outcomeFigures.map(
      ({ name }, at): ResultColumn => ({
        name,
        kind: "number",
        data: of(({ outcome }) => outcome.figures[at] ?? null),
      }),
    ),
  ];
}

/** The last value that a row gives to a path, as it applies. */
function pathColumn(path: string, rows: readonly ResultRow[]): ResultColumn {
  const texts = rows.map(({ values }) => values.findLast((value) => value.path === path)?.text ?? null);
  const numbers = texts.map((text) => (text === null || !isNumber(text) ? null : Number(text)));
  return texts.every((text, i) => (text === null) === (numbers[i] === null))
    ? { name: path, kind: "number", data: numbers }
    : { name: path, kind: "text", data: texts };
}

const isNumber = (text: string): boolean => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
