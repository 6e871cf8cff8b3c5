import { extname } from "node:path";
import type { Worker } from "node:worker_threads";
import { notice } from "../../files/notices.ts";
import { startWorker } from "../../files/start-worker.ts";
import type { EngineOrder, EngineReport } from "./messages.ts";

/** Beside this module, with its extension: TypeScript in a checkout, JavaScript where the program is built. */
const threadModule = new URL(`./engine-thread${extname(import.meta.url)}`, import.meta.url);

const endings: ReadonlySet<EngineReport["kind"]> = new Set(["finished", "failed", "traced", "untraced"]);

/** Whether a report is the last one of an order: the one of an earlier trace of the same run is not. */
const endsOrder = (report: EngineReport, order: EngineOrder | undefined): boolean =>
  endings.has(report.kind) && !(order?.kind === "trace" && "of" in report && report.of !== order.of);

/** A thread that runs scenarios for the screens. It starts with its first order, and anew after it has died. */
export class Engine {
  private thread: Worker | null = null;
  /** Runs and traces that were ordered and have not ended, by run. */
  private readonly open = new Map<number, EngineOrder>();
  private readonly hear: (report: EngineReport) => void;

  constructor(hear: (report: EngineReport) => void) {
    this.hear = hear;
  }

  tell(order: EngineOrder): void {
    if (order.kind === "run" || order.kind === "trace") this.open.set(order.id, order);
    // What is said about runs has no one to hear it where none was ordered.
    else if (this.thread === null && order.kind !== "fields") return;
    this.thread ??= this.start();
    this.thread.postMessage(order);
  }

  async close(): Promise<void> {
    const { thread } = this;
    this.thread = null;
    this.open.clear();
    await thread?.terminate();
  }

  private start(): Worker {
    // What a thread writes to standard error would be written over the screen.
    const thread = startWorker(threadModule, { stderr: true });
    thread.stderr.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) if (line.trim() !== "") notice(line);
    });
    thread.on("message", (report: EngineReport) => {
      if (endsOrder(report, this.open.get(report.id))) this.open.delete(report.id);
      this.hear(report);
    });
    const ended = (message: string) => {
      if (this.thread !== thread) return;
      this.thread = null;
      for (const [id, order] of [...this.open]) {
        this.open.delete(id);
        this.hear(
          order.kind === "trace" ? { kind: "untraced", id, of: order.of, message } : { kind: "failed", id, message },
        );
      }
    };
    // Out of memory mostly.
    thread.on("error", (error: unknown) => ended(`its thread ended: ${String(error)}`));
    thread.on("exit", (code) => ended(`its thread ended with code ${code}`));
    return thread;
  }
}
