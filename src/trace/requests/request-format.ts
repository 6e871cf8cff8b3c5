import type { Problem } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { FieldRule } from "../column-map.ts";
import type { TimeUnit } from "./time-unit.ts";

/** A moment as a file states it, kept exact: whole units of time and billionths of one after them. */
export interface Moment {
  readonly whole: number | bigint;
  readonly billionths: number;
  /** Whether it was written as a date, so that its unit is the second. */
  readonly calendar: boolean;
}

/** The name of a prefix block: equal names hold equal tokens. */
export type BlockName = number | bigint | string;

/** One request as a file states it. */
export interface RequestRow {
  /** null where the file does not say when the request came. */
  readonly at: Moment | null;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Class of the request, where the file has one. */
  readonly className?: string;
  /** The prompt's prefix blocks, first block first. */
  readonly blocks?: readonly BlockName[];
  /** The conversation that it is a turn of: it waits for the turn before it. */
  readonly session?: string;
  /** Name by which later rows wait for it. */
  readonly name?: string;
  /** Names of requests that it waits for. */
  readonly after?: readonly string[];
  /** What its prompt counts, where the row says so. */
  readonly turnPrompts?: TurnPrompts;
  /** Time between the last answer that it waits for and its arrival, in the file's unit of time. */
  readonly wait?: number;
}

/** What a format hands its rows to. */
export interface RowSink {
  row(line: number | null, row: RequestRow): void;
  /** A request that failed when it was recorded: counted, and left out. */
  failed(line: number | null): void;
  /** A request that warmed the server up before the recorded load: counted, and left out. */
  warmUp(line: number | null): void;
  /** Notes what a reader has to know of the file; once, however often it is said. */
  note(text: string): void;
  /** Notes what is wrong with a row; reading goes on, so that more can be found. */
  problem(problem: Problem): void;
  /** Gives up on the file: nothing after this could be read. */
  fatal(problem: Problem): never;
}

/** Reads the next consecutive lines of a file, without their line ends; a document comes in one piece. */
export type TextReader = (lines: readonly string[], firstLine: number) => void;

/** What the prompt of a later turn counts: all that was said before with it, or only what is new. */
export type TurnPrompts = "whole" | "added";

/** What a column of a request trace may hold. */
export const requestFields = {
  arrival: {},
  prompt: { required: true },
  output: { required: true },
  class: {},
  prefix: {},
  session: {},
  request: {},
  after: {},
  wait: { several: true },
} as const satisfies Readonly<Record<string, FieldRule>>;

export type RequestField = keyof typeof requestFields;

/** Columns of a table by the field that they hold, in the words of a column map. */
export type ColumnNames = Readonly<{ [Field in RequestField]?: string | readonly string[] | undefined }>;

/** Cell or value of a column of one row; undefined where the row has none. */
export type CellOf = (column: string) => Json | undefined;

/** Requests as rows of a table: CSV, JSON lines or a JSON array, told apart by their first character. */
export interface TableLayout extends TableRules {
  readonly columns: ColumnNames;
}

/** What is to be known of a table beside the columns that are read. */
export interface TableRules {
  /** Whether the user named the columns: each of them has to be there. */
  readonly fromUser?: true;
  /** Columns beside prompt and output that tell this layout from others; by default that of the arrival. */
  readonly marks?: readonly string[];
  /** What numbers in the arrival column count; null where nobody said so. Dates need no unit. */
  readonly timeUnit: TimeUnit | null;
  /** Whether files of this layout are known that count in another unit. */
  readonly unitVaries?: true;
  /** Tokens in a prefix block as the layout is documented; null where it has none. */
  readonly blockTokens: number | null;
  /** Whether a row may lack an arrival: it waits for another, or the file holds lengths alone. */
  readonly untimed?: true;
  /** What a row says that its prompt counts, if it says so. */
  readonly turnPromptsOf?: (cell: CellOf) => TurnPrompts | null;
  /** Whether a row is a request that failed. */
  readonly failed?: (cell: CellOf) => boolean;
  /** Whether a row is a request of the warm-up. */
  readonly warmUp?: (cell: CellOf) => boolean;
  /** What in a row cannot be expressed. */
  readonly refuses?: (cell: CellOf) => Omit<Problem, "line"> | null;
  /** What is to be known of a row, in words for a note. */
  readonly remarks?: (cell: CellOf) => string | null;
}

/** A layout of request traces in the wild. */
export type RequestFormat = {
  /** Columns or fields and where the layout comes from, in one line. */
  readonly about: string;
} & (
  | { readonly kind: "table"; readonly layouts: readonly TableLayout[] }
  | {
      /** One document that has to be whole. */
      readonly kind: "document";
      readonly timeUnit: TimeUnit;
      /** Whether a file that begins with this text has the layout. */
      recognises(head: string): boolean;
      start(sink: RowSink): TextReader;
    }
);
