import { UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatCount } from "../core/units.ts";
import { queryResults } from "../plan/results/query-results.ts";
import { listResults } from "../plan/sweep/list-results.ts";
import { mergeSweeps } from "../plan/sweep/merge-sweeps.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { sweepListingPage } from "../report/sweep-listing.ts";
import { textTable } from "../report/text-table.ts";
import { type Io, processIo } from "./io.ts";

export interface ListOptions {
  readonly sort?: string;
  readonly top?: number;
  readonly json?: boolean;
}

export interface MergeOptions {
  readonly output?: string;
}

export interface QueryOptions {
  readonly json?: boolean;
}

const topDefault = 10;

/** Lists what a sweep came to. */
export async function list(folder: string, options: ListOptions, colour: boolean): Promise<void> {
  await printListing(processIo(colour), folder, options, "sweep");
}

/** Puts shards together and lists them. */
export async function merge(folders: readonly string[], { output }: MergeOptions, colour: boolean): Promise<void> {
  const io = processIo(colour);
  if (output === undefined) throw new UsageError("sweep merge: expected -o with the folder of the merged results");
  const { missing } = await mergeSweeps(output, folders);
  await printListing(io, output, {}, `${formatCount(folders.length)} parts merged`);
  if (missing > 0) io.err(`${formatCount(missing)} configurations have no result in these folders\n`);
}

/** Prints what SQL says of results. */
export async function query(
  sql: string,
  folders: readonly string[],
  options: QueryOptions,
  colour: boolean,
): Promise<void> {
  const io = processIo(colour);
  const { columns, rows } = await queryResults(sql, folders);
  if (options.json === true) {
    io.out(jsonDocument(rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])))));
    return;
  }
  const cells = rows.map((row) =>
    row.map((value) => (value === null ? "" : oneLine(typeof value === "string" ? value : JSON.stringify(value)))),
  );
  io.out(`${textTable([[...columns], ...cells], io.width === undefined ? {} : { width: io.width }).join("\n")}\n`);
}

/** Prints the listing of a folder. `aside` says how it came about. */
export async function printListing(io: Io, folder: string, options: ListOptions, aside: string): Promise<void> {
  const { sort, top = topDefault } = options;
  const listing = await listResults(folder, { ...(sort === undefined ? {} : { sort }), top });
  if (options.json === true) io.out(jsonDocument({ folder, ...listing }));
  else io.out(terminalPage(sweepListingPage(listing, folder, aside), io.style, io.width));
}
