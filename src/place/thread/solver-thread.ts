import { extname } from "node:path";
import type { Worker } from "node:worker_threads";
import { InfeasibleError, InvariantError } from "../../core/errors.ts";
import { startWorker } from "../../files/start-worker.ts";
import { optimisations } from "../../solver/optimisations.ts";
import { type Attempt, choose, judged, type SolveRunner } from "../../solver/solver.ts";
import type { SolveOrder, SolveReport } from "./solver-messages.ts";

/** From the limit of time until a solver that has not ended by itself is ended. */
const graceMs = 500;

export interface SolverThreadOptions {
  /** Aborted, it ends the thread; whoever waits gets its reason. */
  readonly signal?: AbortSignal;
  /** Told of each better solution. */
  readonly onBetter?: (problem: string, objective: number, bound: number) => void;
}

/**
 * Solves problems on a thread of its own, one after the other, so that none outlasts its limit of time and signals are served. A
 * solver that is ended gives the best solution that it told of, and a SolverLimitError where it told of none. The thread starts with
 * the first problem.
 */
export class SolverThread {
  readonly #options: SolverThreadOptions;
  #worker: Worker | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SolverThreadOptions = {}) {
    this.#options = options;
  }

  readonly solve: SolveRunner = (kind, problem, options = {}) => {
    const answer = this.#turn.then(async () => {
      if ((optimisations[kind.name] as unknown) !== kind)
        throw new InvariantError("solver-kinds", `${kind.name} is not in the table of optimisation problems`);
      const { solver, limits } = choose(kind, problem, options);
      const { timeLimitS, gap, seed } = limits;
      const order: SolveOrder = { kind: kind.name, solver: solver.name, problem, limits: { timeLimitS, gap, seed } };
      return judged(kind, problem, solver.name, (await this.#attempt(order)) as never, limits);
    });
    this.#turn = answer.catch(() => {});
    return answer;
  };

  /** Ends the thread. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #attempt(order: SolveOrder): Promise<Attempt<unknown>> {
    const { signal, onBetter } = this.#options;
    signal?.throwIfAborted();
    this.#worker ??= startWorker(workerModule);
    const worker = this.#worker;
    let best: Attempt<unknown> = { solution: null, bound: -Infinity, cut: true };
    return new Promise<Attempt<unknown>>((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        worker.unref();
        worker.off("message", listen).off("error", fail).off("exit", ended);
        signal?.removeEventListener("abort", abort);
        end();
      };
      /** The thread is busy with what nobody waits for any more: the next problem gets another one. */
      const leave = (end: () => void) =>
        settle(() => {
          if (this.#worker === worker) this.#worker = null;
          worker.terminate().then(end, reject);
        });
      const abort = () => leave(() => reject(signal?.reason as Error));
      let timer: NodeJS.Timeout | undefined;
      const listen = (report: SolveReport) => {
        switch (report.kind) {
          case "began":
            timer = setTimeout(() => leave(() => resolve(best)), order.limits.timeLimitS * 1000 + graceMs);
            return;
          case "better":
            best = { solution: report.solution, bound: report.bound, cut: true };
            onBetter?.(order.kind, report.objective, report.bound);
            return;
          case "done":
            return settle(() => resolve(report.attempt));
          case "failed":
            return settle(() => reject(asError(report.error)));
        }
      };
      const fail = (error: unknown) => leave(() => reject(asError(error)));
      const ended = (code: number) => settle(() => reject(new Error(`a solver's thread ended with exit code ${code}`)));
      worker.ref();
      worker.on("message", listen).on("error", fail).on("exit", ended);
      signal?.addEventListener("abort", abort);
      worker.postMessage(order);
    });
  }
}

/** Errors lose their class on the way between threads; only this one means something to whoever asked. */
function asError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.name === "InfeasibleError" ? new InfeasibleError(error.message) : error;
}

/** The thread has the form of this file. */
const workerModule = new URL(`./solver-worker${extname(import.meta.url)}`, import.meta.url);
