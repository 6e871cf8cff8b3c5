import type { Executor } from "../executor.ts";

/** An executor that is replaced by a new one when what it keeps is stale; jobs that it has begun finish on the old one. */
export class RenewedExecutor {
  readonly #make: () => Executor;
  /** Those that are at work, with how many jobs. */
  readonly #using = new Map<Executor, number>();
  #current: Executor;

  constructor(make: () => Executor) {
    this.#make = make;
    this.#current = make();
  }

  async use<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    const executor = this.#current;
    this.#book(executor, 1);
    try {
      return await work(executor);
    } finally {
      this.#book(executor, -1);
      if (executor !== this.#current && !this.#using.has(executor)) await executor.close();
    }
  }

  renew(): void {
    const old = this.#current;
    this.#current = this.#make();
    if (!this.#using.has(old)) void old.close();
  }

  async close(): Promise<void> {
    await Promise.all([...new Set([this.#current, ...this.#using.keys()])].map((executor) => executor.close()));
  }

  #book(executor: Executor, change: number): void {
    const jobs = (this.#using.get(executor) ?? 0) + change;
    if (jobs === 0) this.#using.delete(executor);
    else this.#using.set(executor, jobs);
  }
}
