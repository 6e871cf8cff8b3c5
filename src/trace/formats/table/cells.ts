import { type Problem, refuse } from "../../../core/errors.ts";
import type { Json } from "../../../core/json.ts";
import { traceLimits } from "../../container/trace-header.ts";
import { labelsOf, type TableField, type TableMap } from "./fields.ts";
import { type Entry, entriesOf, valueBeside } from "./nested-values.ts";
import { RowProblems } from "./row-problems.ts";
import type { TableRecord } from "./table-record.ts";
import { type ColumnReader, openTable, resolveColumns, type TableSource } from "./table-source.ts";
import { decimalNumber, layerNumber, listCell, numberedName, phaseCode, phaseHelp, wholeNumber } from "./values.ts";

/** The experts that one token chose in one layer. */
export interface TableCell {
  readonly file: string;
  /** Number of the file among those that are read. */
  readonly fileIndex: number;
  readonly line: number;
  readonly layer: number;
  readonly token: number;
  readonly request: string | null;
  readonly domain: string | null;
  readonly step: number | null;
  readonly position: number | null;
  readonly phase: number | null;
  readonly ids: number[];
  readonly weights: number[] | null;
}

export interface CellOptions {
  /** Experts of a token, where each has a row of its own and nothing numbers the tokens. */
  readonly topK: number | undefined;
  /** Whether tokens without a number are counted anew in each file. */
  readonly filesApart: boolean;
}

/** A cell as its row has it, before rows with one expert each are joined and tokens numbered. */
interface Part extends Omit<TableCell, "token"> {
  readonly token: number | null;
  /** What the parts of one token and layer have in common where no column numbers tokens. */
  readonly occurrence: string;
  /** One expert of a row of its own. */
  readonly single: boolean;
}

const tokenMax = 0xffff_fffe;

/** The cells of several files in the order of their rows; rows without any expert are left out. */
export async function* tableCells(
  paths: readonly string[],
  map: TableMap,
  options: CellOptions,
): AsyncGenerator<readonly TableCell[]> {
  const joiner = new PartJoiner(options);
  const problems = new RowProblems();
  const names = new ExpertNames();
  for (const [fileIndex, path] of paths.entries()) {
    const source = await openTable(path, map);
    const reader = new RecordReader(source, fileIndex, map, problems, names);
    for await (const records of source.records()) {
      const cells: TableCell[] = [];
      for (const record of records) for (const part of reader.partsOf(record)) joiner.push(part, cells);
      yield cells;
    }
  }
  problems.settle();
  yield joiner.end();
}

/** Joins parts of one token and layer that follow one another, and numbers tokens that nothing else numbers. */
class PartJoiner {
  readonly #options: CellOptions;
  /** Tokens so far of each layer and whatever the tokens are numbered in. */
  readonly #counters = new Map<string, number>();
  #open: Part | null = null;
  #occurrence = "";

  constructor(options: CellOptions) {
    this.#options = options;
  }

  push(part: Part, cells: TableCell[]): void {
    if (!part.single) {
      this.#close(cells);
      cells.push(this.#numbered(part));
      return;
    }
    const { topK } = this.#options;
    const { fileIndex, request, domain, step, token, layer } = part;
    const occurrence = topK === undefined ? part.occurrence : "";
    const open = this.#open;
    if (
      open !== null &&
      open.token === token &&
      open.layer === layer &&
      open.request === request &&
      open.step === step &&
      open.domain === domain &&
      open.fileIndex === fileIndex &&
      (token !== null || this.#occurrence === occurrence) &&
      open.ids.length < (topK ?? traceLimits.topK)
    ) {
      open.ids.push(...part.ids);
      open.weights?.push(...(part.weights ?? []));
      return;
    }
    this.#close(cells);
    this.#occurrence = occurrence;
    this.#open = part;
  }

  end(): TableCell[] {
    const cells: TableCell[] = [];
    this.#close(cells);
    return cells;
  }

  #close(cells: TableCell[]): void {
    if (this.#open !== null) cells.push(this.#numbered(this.#open));
    this.#open = null;
  }

  #numbered(part: Part): TableCell {
    if (part.token !== null) return part as TableCell;
    const { fileIndex, request, domain, step, layer } = part;
    const key = JSON.stringify([this.#options.filesApart ? fileIndex : 0, domain, request ?? `step ${step}`, layer]);
    const token = this.#counters.get(key) ?? 0;
    this.#counters.set(key, token + 1);
    return { ...part, token };
  }
}

/** Experts by name: all names of a table have the same beginning, or the same number would mean two experts. */
class ExpertNames {
  #prefix: string | null = null;

  idOf(entry: string | number): number | null {
    const named = numberedName(entry);
    if (named === null) return null;
    this.#prefix ??= named.prefix;
    return named.prefix === this.#prefix ? named.number : null;
  }
}

type Readers = Readonly<Partial<Record<TableField, readonly ColumnReader[]>>>;

/** Reads the records of one file. */
class RecordReader {
  readonly #fileIndex: number;
  readonly #problems: RowProblems;
  readonly #names: ExpertNames;
  readonly #readers: Readers;
  /** Field that numbers the entries of each list on the way to the experts. */
  readonly #labels: readonly (string | null)[];
  readonly #numbersTokens: boolean;
  #records = 0;

  constructor(source: TableSource, fileIndex: number, map: TableMap, problems: RowProblems, names: ExpertNames) {
    this.#fileIndex = fileIndex;
    this.#problems = problems;
    this.#names = names;
    const missing: Problem[] = [];
    this.#readers = Object.fromEntries(
      Object.entries(map).map(([field, columns]) => [field, resolveColumns(source, columns, missing)]),
    );
    for (const problem of missing) problems.add(problem);
    if (missing.length > 0) problems.settle();
    this.#labels = (map.experts?.[0].path ?? []).flatMap((step) => (step.kind === "each" ? [step.field] : []));
    this.#numbersTokens = map.token !== undefined || labelsOf(map).includes("token");
  }

  partsOf(record: TableRecord): Part[] {
    const [spine, ...others] = this.#readers.experts ?? [];
    if (spine === undefined) return [];
    this.#records += 1;
    const parts: Part[] = [];
    for (const entry of entriesOf(spine, record.value)) {
      const columns = others.map((reader) => reader.base(record.value));
      const value = others.length === 0 ? entry.value : joined([entry.value, ...columns]);
      const part = this.#partOf(record, entry, value);
      if (part !== null) parts.push(part);
    }
    return parts;
  }

  #partOf(record: TableRecord, entry: Entry, value: Json | undefined): Part | null {
    const { file, line } = record;
    const wrong = (field: string, expected: string, found: unknown, hint?: string): null => {
      this.#problems.add({ file, line, at: field, expected, found, ...(hint === undefined ? {} : { hint }) });
      return null;
    };
    let isWrong = false;
    const whole = (field: "token" | "step" | "position"): number | null => {
      const own = this.#fieldValue(field, record, entry);
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
    const layerValue = this.#fieldValue("layer", record, entry);
    const layer = typeof layerValue === "string" || typeof layerValue === "number" ? layerNumber(layerValue) : null;
    if (layer === null || layer >= 1e6)
      return wrong("layer", "the number of a layer below 10^6, or a module name with one", layerValue);
    const phaseValue = this.#fieldValue("phase", record, entry);
    const phase = phaseValue === undefined ? null : phaseCode(phaseValue, this.#readers.phase?.[0]?.column.name ?? "");
    if (phaseValue !== undefined && phase === null) return wrong("phase", phaseHelp, phaseValue);
    const request = this.#label("request", record, entry);
    const domain = this.#label("domain", record, entry);
    if (isWrong || request === undefined || domain === undefined) return null;

    const list = listCell(value);
    if (list === null)
      return wrong(
        "experts",
        "a list of expert ids",
        value,
        "brackets name what its outer lists are: experts=column[layer]",
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
    if (ids.length === 0) return null;
    return {
      file,
      fileIndex: this.#fileIndex,
      line,
      layer,
      token: token ?? (this.#numbersTokens ? null : position),
      request,
      domain,
      step,
      position,
      phase,
      ids,
      weights: weights === null ? null : kept.map((i) => weights[i] ?? Number.NaN),
      occurrence: this.#numbersTokens ? "" : this.#occurrenceOf(entry, list.single),
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
    const readers = this.#readers.weights ?? [];
    if (readers.length > 0 && list.paired !== null) {
      wrong("weights", "weights in one place", "beside the experts and in a column");
      return undefined;
    }
    if (readers.length === 0 && list.paired === null) return null;
    const values = readers.map((reader) => valueBeside(reader, record.value, entry));
    const value = values.length === 1 ? values[0] : joined(values);
    const written = list.paired ?? listCell(value)?.entries;
    if (written === undefined || value === "unequal" || written.length !== list.entries.length) {
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

  /** The value of a field: of its column, or the place of the entry that its name numbers. */
  #fieldValue(field: TableField, record: TableRecord, entry: Entry): Json | undefined {
    const label = this.#labels.indexOf(field);
    if (label >= 0) return entry.places[label];
    const reader = this.#readers[field]?.[0];
    if (reader === undefined) return undefined;
    // A column that a record lacks is a wrong value, not a field without a column.
    return valueBeside(reader, record.value, entry) ?? null;
  }

  /** Text of a field that names something; null without a column, undefined where it holds no name. */
  #label(field: "request" | "domain", record: TableRecord, entry: Entry): string | null | undefined {
    const label = this.#labels.indexOf(field);
    const readers = this.#readers[field] ?? [];
    const values =
      label >= 0 ? [entry.places[label]] : readers.map((reader) => valueBeside(reader, record.value, entry));
    if (values.length === 0) return null;
    for (const value of values)
      if ((typeof value !== "string" && typeof value !== "number") || value === "") {
        this.#problems.add({
          file: record.file,
          line: record.line,
          at: field,
          expected: "text or a number",
          found: value,
        });
        return undefined;
      }
    return values.join(" ");
  }

  #occurrenceOf({ places }: Entry, single: boolean): string {
    const own = places.filter((_place, i) => this.#labels[i] !== "layer" && !(single && i === places.length - 1));
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

/** Refuses a table whose rows hold one expert each while nothing tells where a token ends. */
export function checkTokensTold(map: TableMap, topK: number | undefined, source: TableSource): void {
  const told = map.token !== undefined || map.position !== undefined || labelsOf(map).includes("token");
  if (told || topK !== undefined || source.first === null) return;
  const experts = map.experts ?? [];
  const [reader] = resolveColumns(source, experts, []);
  if (reader === undefined || experts.length !== 1) return;
  const [entry] = entriesOf(reader, source.first);
  if (entry === undefined || entry.places.length > 0 || listCell(entry.value)?.single !== true) return;
  refuse({
    file: source.file,
    at: "token",
    expected: "a column that numbers tokens, as a row holds one expert",
    found: "none",
    hint: "with --top-k every k rows of a layer are one token; 1 for models that choose one expert",
  });
}
