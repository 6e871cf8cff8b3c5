import { UsageError } from "../../core/errors.ts";
import type { Executor } from "./executor.ts";
import { JobThreads } from "./job-threads.ts";
import { QueueExecutor } from "./queue/queue-executor.ts";
import { queueDefault, queueName } from "./queue/queue-names.ts";
import { redisAddress } from "./queue/redis-address.ts";
import type { Notice } from "./queue/redis-link.ts";

/** What executors are asked for with; null: not said. */
export interface ExecutorWords {
  readonly threads: number | null;
  /** Threads where nothing is said. */
  readonly processors: number;
  readonly redis: string | null;
  readonly queue: string | null;
  readonly notice: Notice;
}

export type ExecutorName = "threads" | "bullmq";

/** Where jobs can be run, by name. Each throws UsageError for words that it has no use for, or lacks. */
export const executors: Readonly<Record<ExecutorName, (words: ExecutorWords) => Executor>> = {
  threads: ({ threads, processors }) => new JobThreads(threads ?? processors),
  bullmq: ({ threads, redis, queue, notice }) => {
    if (threads !== null)
      throw new UsageError(
        "--threads: expected with --executor threads; workers say for themselves how many they have",
      );
    if (redis === null) throw new UsageError("--executor bullmq needs --redis, or MOECAST_REDIS in the environment");
    return new QueueExecutor({ address: redisAddress(redis), queue: queueName(queue ?? queueDefault), notice });
  },
};
