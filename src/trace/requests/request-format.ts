import type { Problem } from "../../core/errors.ts";

/** A moment as a file states it, kept exact: whole seconds and the integer nanoseconds after them. */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

/** One request as a file states it. */
export interface RequestRow {
  readonly at: Instant;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Class of the request, where the file has one. */
  readonly className?: string;
  /** Ids of the prompt's prefix blocks, first block first; equal ids hold equal tokens. */
  readonly hashIds?: readonly number[];
}

/** What a format hands its rows to. */
export interface RowSink {
  row(line: number | null, row: RequestRow): void;
  /** Notes what is wrong with a row; reading goes on, so that more can be found. */
  problem(problem: Problem): void;
  /** Gives up on the file: nothing after this could be read. */
  fatal(problem: Problem): never;
}

/** Reads the next consecutive lines of a file, without their line ends; a document comes in one piece. */
export type TextReader = (lines: readonly string[], firstLine: number) => void;

/** A layout of request traces in the wild. */
export interface RequestFormat {
  /** Columns or fields and where the layout comes from, in one line. */
  readonly about: string;
  /** Whether rows are lines, or the file is one document that has to be whole. */
  readonly unit: "lines" | "document";
  /** Tokens in a prefix block, or null where the layout has none. */
  readonly blockTokens: number | null;
  /** Whether a file that begins with this text has the layout. */
  recognises(head: string): boolean;
  start(sink: RowSink): TextReader;
}
