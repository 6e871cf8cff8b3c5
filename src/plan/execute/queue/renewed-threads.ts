import { JobThreads } from "../job-threads.ts";

/** Threads that jobs run on, replaced by new ones when what they keep is stale; those that are at work finish first. */
export class RenewedThreads {
  readonly #count: number;
  readonly #using = new Map<JobThreads, number>();
  #threads: JobThreads;

  constructor(count: number) {
    this.#count = count;
    this.#threads = new JobThreads(count);
  }

  async use<T>(work: (threads: JobThreads) => Promise<T>): Promise<T> {
    const threads = this.#threads;
    this.#book(threads, 1);
    try {
      return await work(threads);
    } finally {
      this.#book(threads, -1);
      if (threads !== this.#threads && !this.#using.has(threads)) await threads.close();
    }
  }

  renew(): void {
    const old = this.#threads;
    this.#threads = new JobThreads(this.#count);
    if (!this.#using.has(old)) void old.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.#threads, ...this.#using.keys()].map((threads) => threads.close()));
  }

  #book(threads: JobThreads, change: number): void {
    const users = (this.#using.get(threads) ?? 0) + change;
    if (users === 0) this.#using.delete(threads);
    else this.#using.set(threads, users);
  }
}
