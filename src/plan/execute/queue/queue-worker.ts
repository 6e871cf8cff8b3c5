import { setTimeout as wait } from "node:timers/promises";
import { refuse } from "../../../core/errors.ts";
import { unlessAborted } from "../../../files/cooperative.ts";
import type { Executor } from "../executor.ts";
import { JobThreads } from "../job-threads.ts";
import type { QueueOptions } from "./queue-executor.ts";
import { ownVersions, type Versions, versionText } from "./queue-names.ts";
import { QueuePeers } from "./queue-peers.ts";
import { patience, RedisLink } from "./redis-link.ts";
import { type LockTimes, lockTimes, WorkerDesk } from "./worker-desk.ts";

export interface WorkerOptions extends QueueOptions {
  readonly threads: number;
  /** What runs are made on; default threads of this process. */
  readonly executor?: () => Executor;
  readonly locks?: LockTimes;
  /** Ends after so long without work; null: works until it is interrupted. */
  readonly idleMs: number | null;
  readonly signal: AbortSignal;
}

const lookMs = 250;
const peersMs = 5000;
const leaveMs = 2000;

/**
 * Takes jobs of its version from a queue and runs them on threads, until it is interrupted or has been idle for long enough. Gives
 * the number of runs. What an interrupt finds half-done goes back to the queue. Throws InvalidInputError for a Redis that does not
 * answer, and where only sweeps of other versions wait when it comes.
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const {
    address,
    queue,
    threads,
    notice,
    patience: limits = patience,
    versions = ownVersions,
    signal,
    idleMs,
  } = options;
  const link = await unlessAborted(RedisLink.open(address, notice, limits), signal);
  const peers = new QueuePeers(link, queue, "worker", versions);
  const { executor = () => new JobThreads(threads), locks = lockTimes } = options;
  const desk = new WorkerDesk({ link, queue, threads, executor, versions, notice, locks });
  try {
    const others = await otherVersions(peers, versions);
    if (others !== null)
      refuse({
        file: address.shown,
        at: `queue ${queue}`,
        expected: `a sweep of ${versionText(versions)}`,
        found: `sweeps of ${others} alone`,
        hint: "sweep and workers need the same version",
      });
    await peers.join();
    await desk.open();
    notice(`at queue ${queue} of ${address.shown} with ${threads} ${threads === 1 ? "thread" : "threads"}`);
    const ends = AbortSignal.any([signal, link.lost]);
    let said = "";
    let lookedAt = performance.now();
    while (!ends.aborted && !(idleMs !== null && desk.idleMs >= idleMs)) {
      await wait(lookMs, undefined, { signal: ends }).catch(() => {});
      if (ends.aborted || performance.now() - lookedAt < peersMs) continue;
      lookedAt = performance.now();
      const found = (await otherVersions(peers, versions)) ?? "";
      if (found !== "" && found !== said)
        notice(`only sweeps of ${found} wait at queue ${queue}; this is ${versionText(versions)}`);
      said = found;
    }
    link.lost.throwIfAborted();
    return desk.runs;
  } finally {
    await desk.close();
    if (!link.lost.aborted)
      await Promise.race([peers.leave().catch(() => {}), wait(leaveMs, undefined, { ref: false })]);
    link.close();
  }
}

/** The versions of the sweeps that wait, where none is of this one; null where one is, or none waits. */
async function otherVersions(peers: QueuePeers, own: Versions): Promise<string | null> {
  const sweeps = (await peers.others()).filter(({ role }) => role === "sweep");
  const found = new Set(sweeps.map(({ versions }) => versionText(versions)));
  return found.size === 0 || found.has(versionText(own)) ? null : [...found].sort().join("; ");
}
