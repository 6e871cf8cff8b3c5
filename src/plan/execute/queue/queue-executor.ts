import { setTimeout as wait } from "node:timers/promises";
import { UsageError } from "../../../core/errors.ts";
import { unlessAborted } from "../../../files/cooperative.ts";
import type { Job, JobBase } from "../../job/job.ts";
import type { Executor, OutcomeSink } from "../executor.ts";
import { keyPrefix, ownVersions, type Versions, versionedQueue } from "./queue-names.ts";
import { queuePackages } from "./queue-packages.ts";
import { QueuePeers } from "./queue-peers.ts";
import { type OpenQueue, QueuedRun } from "./queued-run.ts";
import type { RedisAddress } from "./redis-address.ts";
import { type Notice, type Patience, patience, RedisLink } from "./redis-link.ts";

export interface QueueOptions {
  readonly address: RedisAddress;
  readonly queue: string;
  readonly notice: Notice;
  readonly patience?: Patience;
  /** Of this side; tests play another one. */
  readonly versions?: Versions;
  /** How often a sweep looks whether its jobs and workers are still there. */
  readonly attendMs?: number;
}

/** How long saying goodbye may take. */
const leaveMs = 2000;

/**
 * Runs jobs on machines that take them from a queue on Redis. A job lies there under its key, so that it is there once whoever adds
 * it; its result stays until the sink has it. A controller that is killed loses nothing: the next one over the same jobs finds them
 * waiting, running or done.
 */
export class QueueExecutor implements Executor {
  readonly #options: QueueOptions;
  #open: Promise<OpenQueue> | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  async run(base: JobBase, jobs: readonly Job[], sink: OutcomeSink, signal?: AbortSignal): Promise<void> {
    // Workers take scenarios from a queue, and never code.
    if (base.plugins !== undefined)
      throw new UsageError("--plugin: expected with --executor threads; workers on other machines take no code");
    if (jobs.length === 0) return;
    this.#open ??= this.#connect();
    const { queue, notice, versions = ownVersions, attendMs = 5000 } = this.#options;
    const open = await unlessAborted(this.#open, signal);
    await new QueuedRun(open, { queue, notice, versions, attendMs, base, jobs, sink, signal }).finish();
  }

  async close(): Promise<void> {
    const open = await this.#open?.catch(() => null);
    if (open === null || open === undefined) return;
    const { link, queue, peers } = open;
    if (!link.lost.aborted) await Promise.race([peers.leave().catch(() => {}), wait(leaveMs, null, { ref: false })]);
    link.close();
    await queue.close().catch(() => {});
  }

  async #connect(): Promise<OpenQueue> {
    const { address, queue, notice, patience: limits = patience, versions = ownVersions } = this.#options;
    const link = await RedisLink.open(address, notice, limits);
    try {
      const { bullmq } = await queuePackages();
      const opened = new bullmq.Queue(versionedQueue(queue, versions), {
        connection: link.client,
        prefix: keyPrefix,
        skipVersionCheck: true,
        // Nobody reads events: results are looked for where they lie.
        streams: { events: { maxLen: 100 } },
      });
      // What goes wrong is said by the call that it happens in, and by the link.
      opened.on("error", () => {});
      const peers = new QueuePeers(link, queue, "sweep", versions);
      await peers.join();
      return { link, queue: opened, peers, shown: address.shown };
    } catch (error) {
      link.close();
      throw error;
    }
  }
}
