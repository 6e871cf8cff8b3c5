import { extname } from "node:path";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../../../files/start-worker.ts";
import type { Answer, CallReport, Order, RunOrder, ThreadSetting } from "./thread-messages.ts";

/**
 * A thread with a backend of its own. What a backend uploads, it uploads on the thread that computes; two threads have two heaps,
 * and one uploads while the other computes.
 */
export class LayerThread {
  readonly #worker: Worker;
  readonly #failed: Promise<never>;
  #closed = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#failed = new Promise((_resolve, reject) => {
      worker.once("error", reject);
      worker.once("exit", (code) => {
        if (!this.#closed) reject(new Error(`a thread of expert layers ended with exit code ${code}`));
      });
    });
    // Whoever waits for the thread is told.
    this.#failed.catch(() => {});
  }

  static async start(setting: ThreadSetting): Promise<LayerThread> {
    const thread = new LayerThread(startWorker(workerModule, { workerData: setting }));
    await thread.#answered("ready");
    return thread;
  }

  /** An expert is to be uploaded as soon as no call waits, and another one let go at once. */
  send(expert: number, instead: number | null): void {
    this.#tell({ kind: "send", expert, instead });
  }

  /** Runs a layer call; `chosen` is called when its router has been read, not at all where it has no experts. */
  async run(order: Omit<RunOrder, "kind">, chosen: () => void): Promise<CallReport> {
    const done = this.#answered("done", chosen);
    this.#tell({ kind: "run", ...order });
    return (await done) as CallReport;
  }

  /** Waits until all that was sent is there. */
  async settle(): Promise<void> {
    const settled = this.#answered("settled");
    this.#tell({ kind: "settle" });
    await settled;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #tell(order: Order): void {
    this.#worker.postMessage(order);
  }

  #answered(kind: Answer["kind"], chosen?: () => void): Promise<Answer> {
    let listener = (_answer: Answer): void => {};
    const answered = new Promise<Answer>((resolve) => {
      listener = (answer) => {
        if (answer.kind === "chosen") chosen?.();
        else if (answer.kind === kind) resolve(answer);
      };
      this.#worker.on("message", listener);
    });
    return Promise.race([answered, this.#failed]).finally(() => this.#worker.off("message", listener));
  }
}

/** The thread has the form of this file. */
const workerModule = new URL(`./layer-worker${extname(import.meta.url)}`, import.meta.url);
