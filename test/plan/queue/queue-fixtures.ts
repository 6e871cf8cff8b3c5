import { readFileSync } from "node:fs";
import { localFiles } from "../../../src/files/local-files.ts";
import type { Executor } from "../../../src/plan/execute/executor.ts";
import { queueDefault } from "../../../src/plan/execute/queue/queue-names.ts";
import { runWorker, type WorkerOptions } from "../../../src/plan/execute/queue/queue-worker.ts";
import type { RedisAddress } from "../../../src/plan/execute/queue/redis-address.ts";
import type { Job, JobBase, Outcome } from "../../../src/plan/job/job.ts";
import { jobKey } from "../../../src/plan/job/job-key.ts";
import { keyParts } from "../../../src/plan/job/job-keys.ts";
import { runJob } from "../../../src/plan/job/run-job.ts";

const file = "test/fixtures/scenarios/small.yaml";

/** A scenario that runs in a moment. */
export const base: JobBase = {
  file,
  text: readFileSync(file, "utf8"),
  settings: ["traffic.requests=2", "model={file: ../checkpoints/mixtral/config.json}"],
  params: {},
};

/** Jobs over a base that differ in the rate of arrivals. */
export async function jobsOf(count: number, over: JobBase = base, first = 1): Promise<Job[]> {
  const settings = Array.from({ length: count }, (_, i) => [`traffic.arrivals.requestRate=${first + i}/s`]);
  const parts = await keyParts(over, settings);
  return settings.map((own) => ({ key: jobKey(parts, own), settings: own }));
}

/** Runs jobs in the process of the test, one after the other. */
class Direct implements Executor {
  readonly ran: string[] = [];
  async run(over: JobBase, jobs: readonly Job[], sink: (job: Job, outcome: Outcome) => unknown, signal?: AbortSignal) {
    for (const job of jobs) {
      signal?.throwIfAborted();
      this.ran.push(job.key);
      await sink(job, await runJob(over, job, localFiles));
    }
  }
  async close() {}
}

/** Begins jobs and never ends one, unless it is aborted. */
export class Hanging implements Executor {
  begun = 0;
  run(_over: JobBase, _jobs: readonly Job[], _sink: unknown, signal?: AbortSignal): Promise<void> {
    this.begun += 1;
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    });
  }
  async close() {}
}

/** What jobs come to without a queue. */
export async function outcomesOf(jobs: readonly Job[], over: JobBase = base): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  await new Direct().run(over, jobs, ({ key }, outcome) => outcomes.set(key, asStored(outcome)));
  return outcomes;
}

/** As JSON has it. */
const asStored = (outcome: Outcome): Outcome => JSON.parse(JSON.stringify(outcome)) as Outcome;

/** A worker in the process of the test. */
export function startWorker(address: RedisAddress, options: Partial<WorkerOptions> = {}) {
  const stop = new AbortController();
  const notices: string[] = [];
  const executor = new Direct();
  const ended = runWorker({
    address,
    queue: queueDefault,
    threads: 1,
    idleMs: null,
    executor: () => executor,
    signal: stop.signal,
    notice: (text) => notices.push(text),
    ...options,
  });
  ended.catch(() => {});
  return {
    executor,
    notices,
    ended,
    /** Interrupts it; how many runs it made. */
    stop: (): Promise<number> => {
      stop.abort(new Error("interrupted"));
      return ended;
    },
  };
}

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
