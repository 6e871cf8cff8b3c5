import type { Json } from "../../core/json.ts";
import type { Column } from "../column-map.ts";
import { blockNames, type Reject, requestNames, tokenCount, waitTime } from "./fields.ts";
import { moment } from "./moment.ts";
import type { CellOf, RequestField, RequestRow, RowSink, TableRules } from "./request-format.ts";
import type { FieldColumns } from "./table-columns.ts";

type ValueIn = (column: Column) => Json | undefined;

/** Makes requests of the rows of a table. */
export class TableRows {
  readonly #sink: RowSink;
  readonly #layout: TableRules;
  readonly #columns: FieldColumns;

  constructor(sink: RowSink, layout: TableRules, columns: FieldColumns) {
    this.#sink = sink;
    this.#layout = layout;
    this.#columns = columns;
  }

  /** A row by the values of the layout's columns; `cell` gives that of any other by its name. */
  add(line: number, valueIn: ValueIn, cell: CellOf): void {
    const { failed, warmUp, refuses, remarks, turnPromptsOf } = this.#layout;
    if (warmUp?.(cell) === true) {
      this.#sink.warmUp(line);
      return;
    }
    if (failed?.(cell) === true) {
      this.#sink.failed(line);
      return;
    }
    const refused = refuses?.(cell) ?? null;
    if (refused !== null) {
      this.#sink.problem({ line, ...refused });
      return;
    }
    const remark = remarks?.(cell) ?? null;
    if (remark !== null) this.#sink.note(remark);
    const turnPrompts = turnPromptsOf?.(cell) ?? null;
    const row = this.#read(valueIn, (at, expected, found) => {
      this.#sink.problem({ line, at, expected, found });
      return null;
    });
    if (row !== null) this.#sink.row(line, turnPrompts === null ? row : { ...row, turnPrompts });
  }

  #read(valueIn: ValueIn, reject: Reject): RequestRow | null {
    const { arrival, prompt, output, class: classes, prefix, session, request, after, wait } = this.#columns;
    const first = (columns: readonly Column[] | undefined) => {
      const column = columns?.[0];
      return column === undefined ? undefined : present(valueIn(column));
    };
    const read = <T>(
      field: RequestField,
      value: unknown,
      reader: (value: unknown, at: string, reject: Reject) => T | null,
    ): T | null => reader(value, this.#columns[field]?.[0]?.text ?? field, reject);
    const atValue = first(arrival);
    const timed = arrival !== undefined && !(this.#layout.untimed === true && atValue === undefined);
    const at = timed ? read("arrival", atValue, moment) : null;
    const promptTokens = read("prompt", prompt && valueIn(prompt[0]!), tokenCount);
    const outputTokens = read("output", output && valueIn(output[0]!), tokenCount);
    const blocksValue = first(prefix);
    const blocks = blocksValue === undefined ? undefined : read("prefix", blocksValue, blockNames);
    const names = read("after", first(after), requestNames);
    let waits: number | null = 0;
    for (const column of wait ?? []) {
      const part = waitTime(valueIn(column), column.text, reject);
      waits = part === null || waits === null ? null : waits + part;
    }
    if ((timed && at === null) || promptTokens === null || outputTokens === null) return null;
    if (blocks === null || names === null || waits === null) return null;
    const [className, sessionName, ownName] = [first(classes), first(session), first(request)].map(label);
    return {
      at,
      promptTokens,
      outputTokens,
      ...(className === undefined ? {} : { className }),
      ...(blocks === undefined ? {} : { blocks }),
      ...(sessionName === undefined ? {} : { session: sessionName }),
      ...(ownName === undefined ? {} : { name: ownName }),
      ...(names.length === 0 ? {} : { after: names }),
      ...(wait === undefined ? {} : { wait: waits }),
    };
  }
}

/** What is empty is absent. */
const present = (value: Json | undefined): Json | undefined => (value === null || value === "" ? undefined : value);

/** A name as a file writes it. */
const label = (value: Json | undefined): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
