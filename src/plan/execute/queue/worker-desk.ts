import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { Job as BullJob, Worker } from "bullmq";
import { MoecastError } from "../../../core/errors.ts";
import type { JobBase, Outcome } from "../../job/job.ts";
import { refused } from "../../job/run-job.ts";
import type { Executor } from "../executor.ts";
import { bounded, type QueuedJob, type QueuedResult, readQueuedJob } from "./queue-messages.ts";
import { keyPrefix, type Versions, versionedQueue } from "./queue-names.ts";
import { queuePackages } from "./queue-packages.ts";
import { queuedBase } from "./queued-bases.ts";
import type { Notice, RedisLink } from "./redis-link.ts";
import { RenewedExecutor } from "./renewed-executor.ts";
import { WorkerInputs } from "./worker-inputs.ts";

export interface DeskOptions {
  readonly link: RedisLink;
  /** Name of the queue. */
  readonly queue: string;
  /** Runs at a time. */
  readonly threads: number;
  /** What they run on. */
  readonly executor: () => Executor;
  readonly versions: Versions;
  readonly notice: Notice;
  readonly locks: LockTimes;
}

export interface LockTimes {
  /** A job whose worker has not been heard of for so long goes back to the queue, */
  readonly lockMs: number;
  /** at the next check of another worker. */
  readonly checkMs: number;
}

export const lockTimes: LockTimes = { lockMs: 10_000, checkMs: 3000 };

/** A job that so many workers ended with, for want of memory mostly, is given up. */
const stalledMax = 5;
const reconnectMs = 500;
const basesMax = 64;
/** How long what is half-done may take to go back. */
const endMs = 5000;

/** Where a worker takes jobs from the queue and hands results in. */
export class WorkerDesk {
  /** Runs whose result is in the queue. */
  runs = 0;
  readonly #options: DeskOptions;
  readonly #executor: RenewedExecutor;
  readonly #inputs: WorkerInputs;
  readonly #bases = new Map<string, JobBase>();
  readonly #stop = new AbortController();
  /** Troubles that were told: each once. */
  readonly #told = new Set<string>();
  #worker: Worker | null = null;
  #busy = 0;
  #idleSince = performance.now();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#executor = new RenewedExecutor(options.executor);
    // Threads keep tables by the names of their files.
    this.#inputs = new WorkerInputs(() => this.#executor.renew());
  }

  async open(): Promise<void> {
    const { bullmq } = await queuePackages();
    const { link, queue, versions, threads, locks } = this.#options;
    this.#worker = new bullmq.Worker(
      versionedQueue(queue, versions),
      async (job, token = "") => {
        this.#busy += 1;
        try {
          return bounded(await this.#resultOf(job));
        } catch (error) {
          if (!this.#stop.signal.aborted) throw error;
          await job.moveToWait(token);
          throw new bullmq.WaitingError();
        } finally {
          this.#busy -= 1;
          this.#idleSince = performance.now();
        }
      },
      {
        connection: link.client,
        prefix: keyPrefix,
        skipVersionCheck: true,
        concurrency: threads,
        lockDuration: locks.lockMs,
        stalledInterval: locks.checkMs,
        maxStalledCount: stalledMax,
        runRetryDelay: reconnectMs,
      },
    );
    this.#worker.on("completed", () => {
      this.runs += 1;
    });
    this.#worker.on("error", (error) => this.#tell(error));
  }

  /** Milliseconds without work; none while the Redis is away. */
  get idleMs(): number {
    return this.#busy > 0 || this.#options.link.client.status !== "ready" ? 0 : performance.now() - this.#idleSince;
  }

  /** Takes nothing more; what is half-done goes back to the queue. */
  async close(): Promise<void> {
    const lost = this.#options.link.lost.aborted;
    const closed = this.#worker?.close(lost);
    this.#stop.abort(new Error("the worker ends"));
    await Promise.race([closed?.catch(() => {}), wait(endMs, undefined, { ref: false })]);
    await this.#executor.close();
  }

  async #resultOf({ id = "", data }: BullJob): Promise<QueuedResult> {
    const job = readQueuedJob(data);
    if (job === null) return failed("a job that moecast did not write");
    const base = await this.#baseOf(job.base);
    if (base === null) return failed("its scenario is no longer in the queue");
    try {
      if ((await this.#inputs.keyOf(job.base, base, job.settings)) !== id)
        return { host: hostname(), inputs: await this.#inputs.of(job.base) };
    } catch (error) {
      if (error instanceof MoecastError) return failed(error.message);
      throw error;
    }
    return { outcome: await this.#run(base, job, id) };
  }

  async #run(base: JobBase, { settings }: QueuedJob, key: string): Promise<Outcome> {
    let found: Outcome | null = null;
    const keep = (_job: unknown, outcome: Outcome): void => {
      found = outcome;
    };
    await this.#executor.use((executor) => executor.run(base, [{ key, settings }], keep, this.#stop.signal));
    return found ?? refused("failed", "its thread gave no outcome");
  }

  async #baseOf(digest: string): Promise<JobBase | null> {
    const { link, queue } = this.#options;
    const known = this.#bases.get(digest);
    if (known !== undefined) return known;
    const base = await queuedBase(link, queue, digest, this.#stop.signal);
    if (base === null) return null;
    if (this.#bases.size >= basesMax) this.#bases.clear();
    this.#bases.set(digest, base);
    return base;
  }

  /** Says once what BullMQ meets; what the connection meets is said by the link. */
  #tell({ message }: Error): void {
    const { link, notice } = this.#options;
    if (this.#stop.signal.aborted || link.client.status !== "ready" || /closed|ECONN|EPIPE/i.test(message)) return;
    const text = /lock|Missing key/i.test(message)
      ? "a job of this worker went to another one, as it was not heard of for too long"
      : `the queue says: ${message.replaceAll(/[0-9a-f]{64}/g, "...")}`;
    if (!this.#told.has(text)) notice(text);
    this.#told.add(text);
  }
}

const failed = (reason: string): QueuedResult => ({ outcome: refused("failed", `in the queue: ${reason}`) });
