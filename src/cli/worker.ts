import { availableParallelism } from "node:os";
import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { formatCount } from "../core/units.ts";
import { queueDefault, queueName } from "../plan/execute/queue/queue-names.ts";
import { runWorker } from "../plan/execute/queue/queue-worker.ts";
import { redisAddress } from "../plan/execute/queue/redis-address.ts";
import { watchInterrupts } from "./interrupt.ts";
import { processIo } from "./io.ts";
import { redisVariable } from "./words.ts";

export interface WorkerWords {
  readonly redis?: string;
  readonly queue?: string;
  readonly threads?: number;
  /** Nanoseconds. */
  readonly idle?: number;
  readonly quiet?: boolean;
}

/** Runs what is in a queue until it is interrupted or idle. */
export async function worker(words: WorkerWords, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const url = words.redis ?? process.env[redisVariable];
  if (url === undefined) throw new UsageError(`worker: expected --redis, or ${redisVariable} in the environment`);
  const address = redisAddress(url);
  const queue = queueName(words.queue ?? queueDefault);
  const watch = watchInterrupts(io);
  try {
    const runs = await runWorker({
      address,
      queue,
      threads: words.threads ?? availableParallelism(),
      idleMs: words.idle === undefined ? null : words.idle / 1e6,
      signal: watch.signal,
      notice: (text) => words.quiet !== true && io.err(`${text}\n`),
    });
    io.out(`${formatCount(runs)} ${runs === 1 ? "run" : "runs"}\n`);
    return watch.signal.aborted ? watch.code() : exitCodes.ok;
  } catch (error) {
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
  }
}
