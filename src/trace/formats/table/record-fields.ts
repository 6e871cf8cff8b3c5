import type { Problem } from "../../../core/errors.ts";
import type { Json } from "../../../core/json.ts";
import { type ColumnReader, resolveColumns } from "./column-readers.ts";
import { labelsOf, type TableField, type TableMap } from "./fields.ts";
import { type Entry, entriesOf, otherLength, valueBeside } from "./nested-values.ts";
import type { RowProblems } from "./row-problems.ts";
import type { TableRecord } from "./table-record.ts";
import type { TableSource } from "./table-source.ts";

/** The fields of the records of one file: each is a column, or the place of an entry in a list around the experts. */
export class RecordFields {
  readonly readers: Readonly<Partial<Record<TableField, readonly ColumnReader[]>>>;
  /** Field that numbers the entries of each list on the way to the experts. */
  readonly labels: readonly (string | null)[];
  readonly numbersTokens: boolean;
  readonly #problems: RowProblems;

  constructor(source: TableSource, map: TableMap, problems: RowProblems) {
    this.#problems = problems;
    const missing: Problem[] = [];
    this.readers = Object.fromEntries(
      Object.entries(map).map(([field, columns]) => [field, resolveColumns(source, columns, missing)]),
    );
    for (const problem of missing) problems.add(problem);
    if (missing.length > 0) problems.settle();
    this.labels = (map.experts?.[0].path ?? []).flatMap((step) => (step.kind === "each" ? [step.field] : []));
    this.numbersTokens = map.token !== undefined || labelsOf(map).includes("token");
  }

  /** Whether a record has none of the fields that tell where a cell belongs, as a line about the recording. */
  lacksFields({ value }: TableRecord): boolean {
    const readers = [this.readers.layer?.[0], this.readers.token?.[0]].filter((reader) => reader !== undefined);
    return readers.every((reader) => {
      const own = entriesOf(reader, value);
      return own.every((entry) => entry.value === undefined);
    });
  }

  /** The value of a field: of its column, or the place of the entry that its name numbers. */
  valueOf(field: TableField, record: TableRecord, entry: Entry): Json | undefined | typeof otherLength {
    const label = this.labels.indexOf(field);
    if (label >= 0) return entry.places[label];
    const reader = this.readers[field]?.[0];
    if (reader === undefined) return undefined;
    // A column that a record lacks is a wrong value, not a field without a column.
    return valueBeside(reader, record.value, entry) ?? null;
  }

  /** Text of a field that names something; null without a column, undefined where it holds no name. */
  nameOf(field: "request" | "domain", record: TableRecord, entry: Entry): string | null | undefined {
    const label = this.labels.indexOf(field);
    const readers = this.readers[field] ?? [];
    const values =
      label >= 0 ? [entry.places[label]] : readers.map((reader) => valueBeside(reader, record.value, entry));
    if (values.length === 0) return null;
    const names: string[] = [];
    for (const value of values) {
      // A JSON number beyond 2^53 was rounded when it was read, so that two names may be one.
      const name = typeof value === "number" && isExact(value) ? `${value}` : value;
      if (typeof name !== "string" || name === "") {
        const found = value === otherLength ? "a list of another length" : value;
        const expected = "text, or a number below 2^53";
        this.#problems.add({ file: record.file, line: record.line, at: field, expected, found });
        return undefined;
      }
      names.push(name);
    }
    return names.length === 1 ? (names[0] ?? null) : JSON.stringify(names);
  }
}

const isExact = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value);
