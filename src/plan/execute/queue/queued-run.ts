import { setTimeout as wait } from "node:timers/promises";
import type { Job as BullJob, Queue } from "bullmq";
import { InputDigests } from "../../job/input-digests.ts";
import type { Job, JobBase, Outcome } from "../../job/job.ts";
import { keyParts } from "../../job/job-keys.ts";
import { refused } from "../../job/run-job.ts";
import type { OutcomeSink } from "../executor.ts";
import { type InputDigest, jobBytesMax, type QueuedJob, readQueuedResult } from "./queue-messages.ts";
import { type Versions, versionText } from "./queue-names.ts";
import type { QueuePeers } from "./queue-peers.ts";
import { baseDigest, offerBase } from "./queued-bases.ts";
import type { Notice, RedisLink } from "./redis-link.ts";

/** Jobs that are in the queue at a time: what Redis holds of a sweep, whatever its size. */
const queuedMax = 10_000;
const addedAtATime = 500;
const pageSize = 500;
/** Results of sweeps that never came back are dropped after so long. */
const keptSeconds = 7 * 24 * 3600;
const pollMinMs = 20;
const pollMaxMs = 500;
/** How long taking back what nobody waits for may take. */
const withdrawMs = 5000;

/** A queue that a sweep is connected to. */
export interface OpenQueue {
  readonly link: RedisLink;
  readonly queue: Queue;
  readonly peers: QueuePeers;
  /** Address of the Redis, as messages have it. */
  readonly shown: string;
}

export interface RunRequest {
  /** Name of the queue. */
  readonly queue: string;
  readonly versions: Versions;
  readonly notice: Notice;
  /** How often it is looked whether jobs and workers are still there. */
  readonly attendMs: number;
  readonly base: JobBase;
  readonly jobs: readonly Job[];
  readonly sink: OutcomeSink;
  readonly signal: AbortSignal | undefined;
}

/** Jobs over a base on their way through the queue. */
export class QueuedRun {
  readonly #open: OpenQueue;
  readonly #request: RunRequest;
  readonly #digest: string;
  /** In the queue and without an outcome, by key. */
  readonly #waiting = new Map<string, Job>();
  #next = 0;
  #attendedAt: number | null = null;
  #said = "";
  /** Ends what is asked of Redis; none once what is left is taken back. */
  #signal: AbortSignal | undefined;

  constructor(open: OpenQueue, request: RunRequest) {
    this.#open = open;
    this.#request = request;
    this.#signal = request.signal;
    this.#digest = baseDigest(request.base);
  }

  /** Resolves once each job has its outcome. Throws what the sink throws, what the link throws, and the reason of the signal. */
  async finish(): Promise<void> {
    const { jobs, signal, attendMs } = this.#request;
    let pollMs = pollMinMs;
    try {
      while (this.#next < jobs.length || this.#waiting.size > 0) {
        signal?.throwIfAborted();
        if (this.#attendedAt === null || performance.now() - this.#attendedAt >= attendMs) await this.#attend();
        const added = await this.#fill();
        const came = await this.#collect();
        pollMs = added || came > 0 ? pollMinMs : Math.min(pollMaxMs, pollMs * 1.5);
        if (this.#waiting.size > 0)
          await wait(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
      }
    } catch (error) {
      if (signal?.aborted === true && !this.#open.link.lost.aborted) await this.#withdraw();
      throw error;
    }
  }

  /** Puts a batch of jobs into the queue if there is room; whether any was. */
  async #fill(): Promise<boolean> {
    const room = Math.min(queuedMax - this.#waiting.size, addedAtATime);
    const batch = this.#request.jobs.slice(this.#next, this.#next + room);
    this.#next += batch.length;
    const fitting: Job[] = [];
    for (const job of batch) {
      const bytes = Buffer.byteLength(JSON.stringify(job.settings));
      if (bytes <= jobBytesMax) fitting.push(job);
      else
        await this.#request.sink(
          job,
          refused("failed", `its settings take ${bytes} bytes of a queue, more than ${jobBytesMax}`),
        );
    }
    await this.#add(fitting);
    for (const job of fitting) this.#waiting.set(job.key, job);
    return batch.length > 0;
  }

  /** A job that is there already, waiting, running or done, stays as it is. */
  async #add(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const { link, queue } = this.#open;
    const bulk = jobs.map(({ key, settings }) => ({
      name: "run",
      data: { base: this.#digest, settings } satisfies QueuedJob,
      opts: { jobId: key, removeOnComplete: { age: keptSeconds }, removeOnFail: { age: keptSeconds } },
    }));
    await link.ask(() => queue.addBulk(bulk), this.#signal);
  }

  /** Hands results on and takes them out of the queue; how many came. */
  async #collect(): Promise<number> {
    const { link, queue } = this.#open;
    let came = 0;
    for (const state of ["completed", "failed"] as const)
      for (let from = 0; ; ) {
        const first = from;
        const keys = await link.ask(() => queue.getRanges([state], first, first + pageSize - 1, true), this.#signal);
        const own = keys.filter((key) => this.#waiting.has(key));
        const found = await link.ask(() => Promise.all(own.map((key) => queue.getJob(key))), this.#signal);
        const results = found.filter((job): job is BullJob => job !== undefined);
        const handed = await Promise.allSettled(results.map((result) => this.#handOn(result)));
        const failed = handed.find((end) => end.status === "rejected");
        if (failed !== undefined) throw failed.reason;
        await link.ask(() => Promise.all(results.map(({ id }) => queue.remove(id!))), this.#signal);
        came += results.length;
        // Those of other sweeps stay in front.
        from += keys.length - results.length;
        if (keys.length < pageSize) break;
      }
    return came;
  }

  async #handOn({ id, returnvalue, failedReason }: BullJob): Promise<void> {
    const job = this.#waiting.get(id!)!;
    await this.#request.sink(job, await this.#outcomeOf(job, returnvalue, failedReason));
    this.#waiting.delete(job.key);
  }

  async #outcomeOf({ settings }: Job, value: unknown, failure: string | undefined): Promise<Outcome> {
    if (failure !== undefined && failure !== "") return refused("failed", `in the queue: ${failure}`);
    const result = readQueuedResult(value);
    if (result === null) return refused("failed", "in the queue: a result that moecast did not write");
    if ("outcome" in result) return result.outcome;
    const digests = new InputDigests();
    await keyParts(this.#request.base, [settings], digests);
    return refused("failed", differenceText(result.host, result.inputs, await digests.known()));
  }

  /** Sees to it that jobs are where they should be, and says who is missing. */
  async #attend(): Promise<void> {
    const { link, queue } = this.#open;
    const first = this.#attendedAt === null;
    await offerBase(link, this.#request.queue, this.#request.base, this.#signal);
    // Another sweep may have taken a result that both wanted, and a Redis that keeps nothing may have been restarted.
    const jobs = [...this.#waiting.values()];
    for (let from = 0; from < jobs.length; from += addedAtATime) {
      const some = jobs.slice(from, from + addedAtATime);
      const there = await link.ask(
        () => Promise.all(some.map(({ key }) => link.client.exists(queue.toKey(key)))),
        this.#signal,
      );
      await this.#add(some.filter((_job, i) => there[i] === 0));
    }
    await this.#lookForWorkers(first);
    this.#attendedAt = performance.now();
  }

  async #lookForWorkers(first: boolean): Promise<void> {
    const { notice, versions, queue } = this.#request;
    const workers = (await this.#open.peers.others()).filter(({ role }) => role === "worker");
    const there = new Set(workers.map((worker) => versionText(worker.versions)));
    const where = `queue ${queue} of ${this.#open.shown}`;
    // A worker that was started together with the sweep takes a moment.
    if (there.size === 0 && first) return;
    const text = there.has(versionText(versions))
      ? ""
      : there.size === 0
        ? `no worker is at ${where} yet: moecast worker --redis URL`
        : `only workers of other versions are at ${where}: ${[...there].sort().join("; ")}; this is ${versionText(versions)}`;
    if (text !== "" && text !== this.#said) notice(text);
    this.#said = text;
  }

  /** Takes the results that have come, and takes back what nobody waits for any more; what is running ends in the queue. */
  async #withdraw(): Promise<void> {
    const { queue } = this.#open;
    this.#signal = undefined;
    const rest = async (): Promise<void> => {
      await this.#collect();
      const keys = [...this.#waiting.keys()];
      for (let from = 0; from < keys.length; from += addedAtATime) {
        const some = keys.slice(from, from + addedAtATime);
        const states = await Promise.all(some.map((key) => queue.getJobState(key)));
        await Promise.all(some.filter((_key, i) => states[i] === "waiting").map((key) => queue.remove(key)));
      }
    };
    await Promise.race([rest().catch(() => {}), wait(withdrawMs, undefined, { ref: false })]);
  }
}

/** Which files two machines have differently. */
function differenceText(host: string, there: readonly InputDigest[], here: readonly InputDigest[]): string {
  const own = new Map(here);
  const differing = there.filter(([path, digest]) => own.get(path) !== digest).map(([path]) => path);
  return `the worker on ${host} has other inputs than the sweep${differing.length === 0 ? "" : `: ${differing.join(", ")}`}`;
}
