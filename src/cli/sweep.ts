import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatCount } from "../core/units.ts";
import { unlessAborted } from "../files/cooperative.ts";
import { checkDesign, designDigest, pathsOf } from "../plan/design/design.ts";
import { readDesign } from "../plan/design/read-design.ts";
import type { Executor } from "../plan/execute/executor.ts";
import { type ExecutorName, executors } from "../plan/execute/executors.ts";
import type { Notice } from "../plan/execute/queue/redis-link.ts";
import { queryResults } from "../plan/results/query-results.ts";
import { listResults } from "../plan/sweep/list-results.ts";
import { mergeSweeps } from "../plan/sweep/merge-sweeps.ts";
import { runSweep, type SweepResult } from "../plan/sweep/run-sweep.ts";
import { parseShard } from "../plan/sweep/shard.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { sweepListingPage } from "../report/sweep-listing.ts";
import { textTable } from "../report/text-table.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { watchInterrupts } from "./interrupt.ts";
import { type Io, processIo } from "./io.ts";
import { progressLine } from "./progress.ts";
import { paramsFor } from "./scenario-params.ts";
import { oneOf, redisVariable, splitPair } from "./words.ts";

export interface ListOptions {
  readonly sort?: string;
  readonly top?: number;
  readonly json?: boolean;
}

export interface SweepOptions extends ListOptions {
  readonly vary?: readonly string[];
  readonly range?: readonly string[];
  readonly points?: number;
  readonly sampleSeed?: number;
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly output?: string;
  readonly shard?: string;
  readonly executor?: string;
  readonly threads?: number;
  readonly redis?: string;
  readonly queue?: string;
  readonly quiet?: boolean;
}

export interface MergeOptions {
  readonly output?: string;
}

export interface QueryOptions {
  readonly json?: boolean;
}

const topDefault = 10;

/** Runs the configurations of a sweep that have no result yet, and lists what all came to. */
export async function sweep(file: string, options: SweepOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const watch = watchInterrupts(io);
  const progress = options.quiet === true ? null : progressLine(io, file, "configurations");
  const executor = executorOf(options, (text) => {
    progress?.clear();
    io.err(`${text}\n`);
  });
  try {
    const text = await unlessAborted(io.readText(file), watch.signal);
    const given = Object.fromEntries((options.param ?? []).map((word) => splitPair(word, "--param NAME=value")));
    const params = await paramsFor(file, given, io);
    const settings = options.set ?? [];
    const scenario = parseScenario(text, file, { settings, params });
    const design = readDesign(scenario.sweep, {
      vary: options.vary ?? [],
      ranges: options.range ?? [],
      points: options.points ?? null,
      seed: options.sampleSeed ?? null,
    });
    if (pathsOf(design).length === 0)
      throw new UsageError("sweep: expected what to vary: --vary, --range, or a sweep section in the scenario");
    checkDesign(design);
    const shard = options.shard === undefined ? null : parseShard(options.shard);
    const folder = options.output ?? defaultFolder(scenario.name, designDigest(design), options.shard);
    const result = await runSweep(
      { base: { file, text, settings, params }, design, folder, shard },
      {
        executor,
        signal: watch.signal,
        ...(progress === null ? {} : { onProgress: progress.update }),
      },
    );
    progress?.clear();
    await printListing(io, folder, options, asideOf(result));
    return watch.signal.aborted ? watch.code() : codeOf(result);
  } catch (error) {
    progress?.clear();
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
    await executor.close();
  }
}

function executorOf({ executor: word, threads, redis, queue }: SweepOptions, notice: Notice): Executor {
  const name = oneOf(word ?? "threads", Object.keys(executors) as ExecutorName[], "--executor");
  if (name === "threads" && (redis ?? queue) !== undefined)
    throw new UsageError("--redis and --queue: expected with --executor bullmq");
  return executors[name]({
    threads: threads ?? null,
    processors: availableParallelism(),
    redis: redis ?? process.env[redisVariable] ?? null,
    queue: queue ?? null,
    notice,
  });
}

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

async function printListing(io: Io, folder: string, options: ListOptions, aside: string): Promise<void> {
  const { sort, top = topDefault } = options;
  const listing = await listResults(folder, { ...(sort === undefined ? {} : { sort }), top });
  if (options.json === true) io.out(jsonDocument({ folder, ...listing }));
  else io.out(terminalPage(sweepListingPage(listing, folder, aside), io.style, io.width));
}

/** The same sweep has the same folder, so that the same command goes on with it. */
const defaultFolder = (scenario: string, digest: string, shard: string | undefined): string =>
  join(
    "sweeps",
    `${scenario.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 64)}-${digest.slice(0, 8)}${shard === undefined ? "" : `-${shard.replace("/", "-of-")}`}`,
  );

function asideOf({ cached, total, interrupted, rows }: SweepResult): string {
  const run = rows.length - Math.min(cached, rows.length);
  return interrupted
    ? `interrupted: ${formatCount(rows.length)} of ${formatCount(total)} have a result`
    : `${formatCount(run)} run${cached === 0 ? "" : `, ${formatCount(cached)} known before`}`;
}

/** A defect in one run is one of moecast; a sweep in which nothing has a forecast ends as its runs would. */
function codeOf({ counts }: SweepResult): ExitCode {
  if (counts.failed > 0) return exitCodes.internal;
  if (counts.done > 0) return exitCodes.ok;
  return counts.infeasible > 0 ? exitCodes.infeasible : exitCodes.invalidInput;
}
