import type { Executor } from "../execute/executor.ts";
import type { Job, JobBase, Outcome } from "../job/job.ts";
import { jobKey, type KeyParts } from "../job/job-key.ts";
import type { Journal } from "../journal/journal.ts";

/** Runs settings over a base, each once: what a journal knows is not run again. */
export class Evaluator {
  /** Runs that were made, and their requests, by those who asked. */
  runs = 0;
  readonly #base: JobBase;
  readonly #keys: KeyParts;
  readonly #executor: Executor;
  readonly #journal: Journal | null;
  readonly #signal: AbortSignal | undefined;
  readonly #known: Map<string, Outcome>;
  readonly #asked = new Set<string>();

  constructor(parts: {
    readonly base: JobBase;
    readonly keys: KeyParts;
    readonly executor: Executor;
    readonly journal: Journal | null;
    readonly signal?: AbortSignal | undefined;
  }) {
    this.#base = parts.base;
    this.#keys = parts.keys;
    this.#executor = parts.executor;
    this.#journal = parts.journal;
    this.#signal = parts.signal;
    this.#known = new Map(parts.journal?.before ?? []);
  }

  /**
   * Outcomes in the order of `asked`. Counts every configuration that was asked for the first time, whether a journal knew it: the
   * same search counts the same however often it was interrupted.
   */
  async outcomes(asked: readonly (readonly string[])[]): Promise<Outcome[]> {
    const keys = asked.map((settings) => jobKey(this.#keys, settings));
    const jobs = new Map<string, Job>();
    for (const [i, key] of keys.entries()) {
      if (!this.#asked.has(key)) this.runs += 1;
      this.#asked.add(key);
      if (!this.#known.has(key)) jobs.set(key, { key, settings: asked[i]! });
    }
    if (jobs.size > 0)
      await this.#executor.run(
        this.#base,
        [...jobs.values()],
        async ({ key }, outcome) => {
          await this.#journal?.append(key, outcome);
          this.#known.set(key, outcome);
        },
        this.#signal,
      );
    return keys.map((key) => this.#known.get(key)!);
  }
}
