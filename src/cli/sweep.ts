import { availableParallelism } from "node:os";
import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { formatCount } from "../core/units.ts";
import { checkDesign, pathsOf } from "../plan/design/design.ts";
import { readDesign } from "../plan/design/read-design.ts";
import type { Executor } from "../plan/execute/executor.ts";
import { type ExecutorName, executors } from "../plan/execute/executors.ts";
import type { Notice } from "../plan/execute/queue/redis-link.ts";
import { scenarioOf } from "../plan/job/job-policies.ts";
import { runSweep, type SweepResult } from "../plan/sweep/run-sweep.ts";
import { parseShard } from "../plan/sweep/shard.ts";
import { watchInterrupts } from "./interrupt.ts";
import { processIo } from "./io.ts";
import { readJobBase } from "./job-base.ts";
import { progressLine } from "./progress.ts";
import { type ListOptions, printListing } from "./sweep-results.ts";
import { oneOf, redisVariable } from "./words.ts";

export interface SweepOptions extends ListOptions {
  readonly vary?: readonly string[];
  readonly range?: readonly string[];
  readonly points?: number;
  readonly sampleSeed?: number;
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly output?: string;
  readonly shard?: string;
  readonly executor?: string;
  readonly threads?: number;
  readonly redis?: string;
  readonly queue?: string;
  readonly quiet?: boolean;
}

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
    const base = await readJobBase(
      io,
      file,
      { settings: options.set ?? [], param: options.param, plugin: options.plugin },
      watch.signal,
    );
    const scenario = await scenarioOf(base);
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
    const result = await runSweep(
      { base, design, folder: options.output ?? null, shard },
      {
        executor,
        signal: watch.signal,
        ...(progress === null ? {} : { onProgress: progress.update }),
      },
    );
    progress?.clear();
    await printListing(io, result.folder, options, asideOf(result));
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
