import { extname } from "node:path";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../../files/start-worker.ts";
import type { Job, JobBase, Outcome } from "../job/job.ts";
import { refused } from "../job/run-job.ts";
import type { Executor, OutcomeSink } from "./executor.ts";
import { TableShelf } from "./table-shelf.ts";
import type { ThreadOrder, ThreadReport } from "./thread-messages.ts";

/** Beside this module, with its extension: TypeScript in a checkout, JavaScript where the program is built. */
const threadModule = new URL(`./job-thread${extname(import.meta.url)}`, import.meta.url);

/** Runs jobs on threads of this process, one at a time on each; routing tables lie in memory that they share. */
export class JobThreads implements Executor {
  readonly #count: number;
  readonly #shelf = new TableShelf();
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();

  /** @param count threads, at least 1; each starts with its first job */
  constructor(count: number) {
    this.#count = count;
  }

  async run(base: JobBase, jobs: readonly Job[], sink: OutcomeSink, signal?: AbortSignal): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      let thread: Worker | null = null;
      try {
        while (next < jobs.length) {
          signal?.throwIfAborted();
          const job = jobs[next++]!;
          // One may have ended between two jobs.
          if (thread === null || !this.#all.has(thread)) thread = this.#thread(base);
          const { outcome, gone } = await this.#runOn(thread, job, signal);
          if (gone) thread = null;
          await sink(job, outcome);
        }
        if (thread !== null) this.#idle.push(thread);
      } catch (error) {
        // What the other lanes would run next has nobody to tell.
        next = jobs.length;
        throw error;
      }
    };
    const lanes = Array.from({ length: Math.min(this.#count, jobs.length) }, lane);
    const ends = await Promise.allSettled(lanes);
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async close(): Promise<void> {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(all.map((thread) => thread.terminate()));
  }

  #thread(base: JobBase): Worker {
    let thread = this.#idle.pop();
    if (thread === undefined) {
      const started = startWorker(threadModule);
      this.#all.add(started);
      // Told to whoever runs a job on it; between jobs to nobody, and then it must not end this process.
      started.on("error", () => {});
      started.on("exit", () => {
        this.#all.delete(started);
        const idle = this.#idle.indexOf(started);
        if (idle >= 0) this.#idle.splice(idle, 1);
        this.#shelf.gone(started);
      });
      started.on("message", (report: ThreadReport) => this.#serveTables(started, report));
      thread = started;
    }
    tell(thread, { kind: "base", base });
    return thread;
  }

  #serveTables(thread: Worker, report: ThreadReport): void {
    if (report.kind === "wants")
      this.#shelf.want(report.key, thread, (table) => tell(thread, { kind: "table", key: report.key, table }));
    else if (report.kind === "made") this.#shelf.made(report.key, report.table);
  }

  /** The outcome of a job; `gone`: the thread ended with it, out of memory mostly. */
  #runOn(
    thread: Worker,
    { settings }: Job,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly outcome: Outcome; readonly gone: boolean }> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        thread.off("message", listen).off("error", fail).off("exit", ended);
        signal?.removeEventListener("abort", abort);
        end();
      };
      const listen = (report: ThreadReport) => {
        if (report.kind === "outcome") settle(() => resolve({ outcome: report.outcome, gone: false }));
      };
      const fail = (error: unknown) =>
        settle(() => resolve({ outcome: refused("failed", `its thread ended: ${String(error)}`), gone: true }));
      const ended = (code: number) =>
        settle(() => resolve({ outcome: refused("failed", `its thread ended with code ${code}`), gone: true }));
      const abort = () => {
        settle(() => reject(signal?.reason as Error));
        void thread.terminate();
      };
      thread.on("message", listen).on("error", fail).on("exit", ended);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener("abort", abort);
      tell(thread, { kind: "job", settings });
    });
  }
}

const tell = (thread: Worker, order: ThreadOrder): void => thread.postMessage(order);
