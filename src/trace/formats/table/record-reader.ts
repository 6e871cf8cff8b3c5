import type { Json } from "../../../core/json.ts";
import { traceLimits } from "../../container/trace-header.ts";
import type { ColumnReader } from "./column-readers.ts";
import type { ExpertNames } from "./expert-names.ts";
import type { TableField, TableMap } from "./fields.ts";
import { type Entry, entriesOf, otherLength, valueBeside } from "./nested-values.ts";
import { RecordFields } from "./record-fields.ts";
import type { RowProblems } from "./row-problems.ts";
import type { CellPart } from "./table-cell.ts";
import type { TableRecord } from "./table-record.ts";
import type { TableSource } from "./table-source.ts";
import type { Tally } from "./tally.ts";
import { decimalNumber, layerNumber, listCell, phaseCode, phaseHelp, wholeNumber } from "./values.ts";

const tokenMax = 0xffff_fffe;

/** What the records of all files of a table have in common. */
export interface ReaderContext {
  readonly map: TableMap;
  /** Experts of a token, where it was stated. */
  readonly topK: number | undefined;
  readonly problems: RowProblems;
  readonly names: ExpertNames;
  readonly tally: Tally;
}

/** Reads the records of one file. */
export class RecordReader {
  readonly #fileIndex: number;
  readonly #problems: RowProblems;
  readonly #names: ExpertNames;
  readonly #fields: RecordFields;
  readonly #tally: Tally;
  readonly #topK: number | undefined;
  #records = 0;

  constructor(source: TableSource, fileIndex: number, { map, topK, problems, names, tally }: ReaderContext) {
    this.#tally = tally;
    this.#topK = topK;
    this.#fileIndex = fileIndex;
    this.#problems = problems;
    this.#names = names;
    this.#fields = new RecordFields(source, map, problems);
  }

  partsOf(record: TableRecord): CellPart[] {
    const [spine, ...others] = this.#fields.readers.experts ?? [];
    if (spine === undefined) return [];
    this.#records += 1;
    const parts: CellPart[] = [];
    const entries = entriesOf(spine, record.value);
    const isOther = entries.every(({ value }) => value === undefined) && this.#fields.lacksFields(record);
    if (isOther) {
      this.#tally.others += 1;
      this.#tally.firstOther ??= record;
      return [];
    }
    if (entries.length === 0) this.#checkNoEntries(spine, record);
    for (const entry of entries) {
      const columns = others.map((reader) => reader.base(record.value));
      const value = others.length === 0 ? entry.value : joined([entry.value, ...columns]);
      const part = this.#partOf(record, entry, value);
      if (part !== null) parts.push(part);
    }
    return parts;
  }

  /** A list without entries is one; anything else that brackets find nothing in is wrong. */
  #checkNoEntries(spine: ColumnReader, record: TableRecord): void {
    const base = spine.base(record.value);
    if (base !== null && typeof base === "object") this.#tally.empty += 1;
    else
      this.#problems.add({
        file: record.file,
        line: record.line,
        at: "experts",
        expected: `lists that the brackets of ${spine.column.text} lead into`,
        found: base,
      });
  }

  #partOf(record: TableRecord, entry: Entry, value: Json | undefined): CellPart | null {
    const { file, line } = record;
    const wrong = (field: string, expected: string, found: unknown, hint?: string): null => {
      this.#problems.add({ file, line, at: field, expected, found, ...(hint === undefined ? {} : { hint }) });
      return null;
    };
    let isWrong = false;
    const toldOf = (field: TableField): Json | undefined => {
      const own = this.#fields.valueOf(field, record, entry);
      if (own !== otherLength) return own;
      wrong(field, "lists as long as those of the experts", "others");
      isWrong = true;
      return undefined;
    };
    const whole = (field: "token" | "step" | "position" | "tokenId"): number | null => {
      const own = toldOf(field);
      if (own === undefined) return null;
      const number = typeof own === "string" || typeof own === "number" ? wholeNumber(own) : null;
      if (number !== null && number <= tokenMax) return number;
      wrong(field, "a whole number below 2^32 - 1", own);
      isWrong = true;
      return null;
    };
    const token = whole("token");
    const step = whole("step");
    const position = whole("position");
    const tokenId = whole("tokenId");
    const layerValue = toldOf("layer");
    const layer = typeof layerValue === "string" || typeof layerValue === "number" ? layerNumber(layerValue) : null;
    if (layer === null || layer >= 1e6)
      return wrong("layer", "the number of a layer below 10^6, or a module name with one", layerValue);
    const phaseValue = toldOf("phase");
    const phase =
      phaseValue === undefined ? null : phaseCode(phaseValue, this.#fields.readers.phase?.[0]?.column.name ?? "");
    if (phaseValue !== undefined && phase === null) return wrong("phase", phaseHelp, phaseValue);
    const request = this.#fields.nameOf("request", record, entry);
    const domain = this.#fields.nameOf("domain", record, entry);
    if (isWrong || request === undefined || domain === undefined) return null;

    const list = listCell(value);
    if (list === null)
      return wrong(
        "experts",
        "a list of expert ids",
        value,
        "brackets name what its outer lists are: experts=column[layer]",
      );
    const isAlone = list.single && entry.places.length === 0;
    if (isAlone && token === null && position === null && this.#topK === undefined)
      return wrong(
        "token",
        "a column that numbers tokens, as a row holds one expert",
        "none",
        "with --top-k every k rows of a layer are one token; 1 for models that choose one expert",
      );
    const ids: number[] = [];
    const kept: number[] = [];
    for (const [i, id] of list.entries.entries()) {
      if (id === null || Number(id) === -1) continue;
      const number = this.#names.idOf(id);
      if (number === null || number >= traceLimits.experts)
        return wrong(
          "experts",
          `expert ids from 0 to ${traceLimits.experts - 1}, or names that differ by a number alone`,
          id,
        );
      ids.push(number);
      kept.push(i);
    }
    if (ids.length > traceLimits.topK)
      return wrong("experts", `at most ${traceLimits.topK} experts of a token`, ids.length);
    const weights = this.#weightsOf(record, entry, list, wrong);
    if (weights === undefined) return null;
    if (ids.length === 0) {
      this.#tally.empty += 1;
      return null;
    }
    return {
      file,
      fileIndex: this.#fileIndex,
      line,
      layer,
      token: token ?? (this.#fields.numbersTokens ? null : position),
      request,
      domain,
      step,
      position,
      phase,
      tokenId,
      ids,
      weights: weights === null ? null : kept.map((i) => weights[i] ?? Number.NaN),
      occurrence: this.#fields.numbersTokens ? "" : this.#occurrenceOf(entry, list.single),
      single: list.single,
    };
  }

  /** Weights beside the ids, entry by entry; null if there are none, undefined if they are wrong. */
  #weightsOf(
    record: TableRecord,
    entry: Entry,
    list: { readonly entries: readonly unknown[]; readonly paired: readonly (string | number | null)[] | null },
    wrong: (field: string, expected: string, found: unknown, hint?: string) => null,
  ): (number | null)[] | null | undefined {
    const readers = this.#fields.readers.weights ?? [];
    if (readers.length > 0 && list.paired !== null) {
      wrong("weights", "weights in one place", "beside the experts and in a column");
      return undefined;
    }
    if (readers.length === 0 && list.paired === null) return null;
    const values = readers.map((reader) => valueBeside(reader, record.value, entry));
    const own = values.filter((value) => value !== otherLength);
    const value = own.length < values.length ? "lists of another length" : own.length === 1 ? own[0] : joined(own);
    const written = list.paired ?? listCell(value)?.entries;
    if (written === undefined || own.length < values.length || written.length !== list.entries.length) {
      wrong(
        "weights",
        `${list.entries.length} weights, one for each expert`,
        value,
        "scores of all experts cannot be read from a table",
      );
      return undefined;
    }
    const numbers = written.map((weight) => (weight === null ? null : decimalNumber(weight)));
    for (const [i, number] of numbers.entries())
      if (number === null && list.entries[i] !== null && Number(list.entries[i]) !== -1) {
        wrong("weights", "finite numbers", written[i]);
        return undefined;
      }
    return numbers;
  }

  #occurrenceOf({ places }: Entry, single: boolean): string {
    const own = places.filter(
      (_place, i) => this.#fields.labels[i] !== "layer" && !(single && i === places.length - 1),
    );
    return JSON.stringify([this.#records, ...own]);
  }
}

/** The values of several columns as one list; undefined if one of them is no single value. */
function joined(values: readonly (Json | undefined)[]): Json | undefined {
  const lists = values.map(listCell);
  if (lists.some((list) => list === null || list.entries.length > 1 || list.paired !== null))
    return values.find((value) => Array.isArray(value)) ?? "several";
  return lists.map((list) => list?.entries[0] ?? null);
}
