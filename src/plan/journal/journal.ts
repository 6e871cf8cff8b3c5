import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OutputError, refuse } from "../../core/errors.ts";
import { version } from "../../core/version.ts";
import { makeFolder } from "../../files/folders.ts";
import { readBytes } from "../../files/read-input.ts";
import { causeOf, isSystemError } from "../../files/system-error.ts";
import { jobStatuses, type Outcome } from "../job/job.ts";
import { outcomeVersion } from "../job/job-key.ts";
import { outcomeFigures } from "../job/outcome-figures.ts";

/** A million outcomes take less. */
const journalBytesMax = 2 ** 31 - 1;

/** Outcomes by the key of their job. */
export type Outcomes = ReadonlyMap<string, Outcome>;

/** First line of a journal: results of another moecast, or with other columns, mean something else. */
const header = `${JSON.stringify({
  kind: "moecast-journal",
  version: outcomeVersion,
  moecastVersion: version,
  figures: outcomeFigures.map(({ name }) => name),
})}\n`;

/**
 * Outcomes on the disk, one a line, in the order in which they came. A line is there once its append has returned, whatever ends the
 * process afterwards; what a killed process left of a line is cut off when the journal is opened again.
 */
export class Journal {
  /** Outcomes that were there when it was opened. Failed attempts are none: they are made again. */
  readonly before: Outcomes;
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Lines that are not written yet. */
  #lines: string[] = [];
  /** Bytes that are whole lines on the disk. */
  #end: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, handle: FileHandle, before: Outcomes, end: number) {
    this.#end = end;
    this.#path = path;
    this.#handle = handle;
    this.before = before;
  }

  /**
   * Opens a journal, or begins one. Throws InvalidInputError for one that another version wrote or that is broken before its last
   * line, OutputError for what cannot be written.
   */
  static async open(path: string): Promise<Journal> {
    const there = await wholeLines(path);
    try {
      await makeFolder(dirname(path));
      const handle = await open(path, there === null ? "w" : "r+");
      try {
        if (there === null) await handle.write(header, 0);
        else await handle.truncate(there.bytes);
        await handle.datasync();
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new Journal(path, handle, there?.outcomes ?? new Map(), there?.bytes ?? Buffer.byteLength(header));
    } catch (error) {
      throw isSystemError(error) ? new OutputError(path, causeOf(error)) : error;
    }
  }

  /** Adds an outcome; it is on the disk when this returns. Outcomes that come meanwhile are written together. */
  async append(key: string, outcome: Outcome): Promise<void> {
    this.#lines.push(lineOf(key, outcome));
    if (this.#lines.length === 1) this.#writing = this.#writing.then(() => this.#flush());
    return this.#writing;
  }

  /** Bytes that are on the disk: a journal only grows, so they tell one state of it from every other. */
  get bytes(): number {
    return this.#end;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    try {
      for (let done = 0; done < bytes.length; )
        done += (await this.#handle.write(bytes, done, bytes.length - done, this.#end + done)).bytesWritten;
      await this.#handle.datasync();
      this.#end += bytes.length;
    } catch (error) {
      // What stands behind the last whole line would be read as a broken one.
      await this.#handle.truncate(this.#end).catch(() => {});
      throw isSystemError(error) ? new OutputError(this.#path, causeOf(error)) : error;
    }
  }
}

/** The outcomes of a journal that nobody writes. Throws InvalidInputError where it is missing, broken, or of another version. */
export async function readJournal(path: string): Promise<Outcomes> {
  const there = await wholeLines(path);
  if (there === null) refuse({ file: path, expected: "a journal of results", found: "nothing" });
  return there.outcomes;
}

/** A line as compact as it can be read with `JSON.parse`: key, status, reason, verdict, passed, SLOs, figures. */
const lineOf = (key: string, of: Outcome): string =>
  `${JSON.stringify([key, of.status, of.reason, of.verdict, of.passed, of.binding, of.strain, of.strainAtBest, of.figures])}\n`;

type Line = [
  string,
  Outcome["status"],
  string | null,
  Outcome["verdict"],
  boolean | null,
  string | null,
  number | null,
  number | null,
  (number | null)[],
];

async function wholeLines(
  path: string,
): Promise<{ readonly outcomes: Map<string, Outcome>; readonly bytes: number } | null> {
  const bytes = await journalBytes(path);
  if (bytes === null) return null;
  const first = bytes.toString("utf8", 0, Math.min(bytes.length, header.length));
  // A process that was killed while it wrote the first line has left no result.
  if (first.length < header.length && header.startsWith(first)) return null;
  if (first !== header) refuse(otherHeader(path, bytes.toString("utf8", 0, 65_536).split("\n")[0] ?? ""));
  const outcomes = new Map<string, Outcome>();
  let from = header.length;
  // Line by line: the journal as a whole may be longer than a string can be.
  for (let number = 2; ; number++) {
    const end = bytes.indexOf(10, from);
    if (end < 0) return { outcomes, bytes: from };
    const [key, ...rest] = parsed(bytes.toString("utf8", from, end), path, number);
    const [status, reason, verdict, passed, binding, strain, strainAtBest, figures] = rest;
    if (status === "failed") outcomes.delete(key);
    else outcomes.set(key, { status, reason, verdict, passed, binding, strain, strainAtBest, figures });
    from = end + 1;
  }
}

async function journalBytes(path: string): Promise<Buffer | null> {
  if ((await stat(path).catch(() => null)) === null) return null;
  return readBytes(path, journalBytesMax);
}

function parsed(line: string, file: string, number: number): Line {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = null;
  }
  if (!isLine(value)) refuse({ file, line: number, expected: "a result that moecast wrote", found: line.slice(0, 60) });
  return value;
}

function isLine(value: unknown): value is Line {
  if (!Array.isArray(value) || value.length !== 9) return false;
  const [key, status, figures] = [value[0], value[1], value[8]] as unknown[];
  const known = typeof key === "string" && jobStatuses.some((one) => one === status);
  return known && Array.isArray(figures) && figures.length === (status === "done" ? outcomeFigures.length : 0);
}

function otherHeader(file: string, found: string): Parameters<typeof refuse>[0] {
  const hint = "results of another version mean something else: take another folder, or remove this file";
  try {
    const { kind, moecastVersion, version: outcomes } = JSON.parse(found) as Record<string, unknown>;
    if (kind === "moecast-journal")
      return {
        file,
        line: 1,
        expected: `results of moecast ${version}, outcomes of version ${outcomeVersion}`,
        found: `those of moecast ${String(moecastVersion)}, outcomes of version ${String(outcomes)}`,
        hint,
      };
  } catch {
    // Said below.
  }
  return { file, line: 1, expected: "the first line of a journal of results", found: found.slice(0, 60) };
}
