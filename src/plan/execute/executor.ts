import type { Job, JobBase, Outcome } from "../job/job.ts";

/** Told of every outcome as it comes. What it throws ends the execution. */
export type OutcomeSink = (job: Job, outcome: Outcome) => Promise<void> | void;

/** Where jobs are run: threads of this process, or machines that take them from a queue. */
export interface Executor {
  /**
   * Runs jobs over a base, in any order; resolves once each has its outcome. Throws the reason of an aborted signal: jobs that were
   * running then have no outcome.
   */
  run(base: JobBase, jobs: readonly Job[], sink: OutcomeSink, signal?: AbortSignal): Promise<void>;
  /** Ends what was started for it. */
  close(): Promise<void>;
}
