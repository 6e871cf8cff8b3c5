import { setImmediate } from "node:timers/promises";
import { type TraceDeps, traceRequest } from "../../forecast/details/trace-request.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import { parseScenario } from "../../scenario/parse-scenario.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import { messageOf } from "./error-message.ts";
import type { EngineOrder, EngineReport } from "./messages.ts";
import { Pace } from "./pace.ts";

/** One request of an earlier run that is followed: the scenario runs again until it has ended. */
export class EngineTrace implements Pick<TraceDeps, "batchSteps" | "onBatch" | "giveWay"> {
  readonly id: number;
  private readonly order: Extract<EngineOrder, { kind: "trace" }>;
  private readonly files: Surroundings;
  private readonly say: (report: EngineReport) => void;
  private readonly stopping = new AbortController();
  private readonly pace = new Pace();

  constructor(
    order: Extract<EngineOrder, { kind: "trace" }>,
    files: Surroundings,
    say: (report: EngineReport) => void,
  ) {
    this.id = order.id;
    this.order = order;
    this.files = files;
    this.say = say;
  }

  async run(): Promise<void> {
    const { id, of, request } = this.order;
    try {
      const scenario = parseScenario(request.text, request.file, {
        settings: request.settings,
        params: request.params,
      });
      const trace = await traceRequest(scenario, of, {
        ...this.files,
        signal: this.stopping.signal,
        batchSteps: () => this.batchSteps(),
        onBatch: (view) => this.onBatch(view),
        giveWay: () => this.giveWay(),
      });
      if (trace === null) this.say({ kind: "untraced", id, of, message: "the request does not end in this run" });
      else this.say({ kind: "traced", id, of, trace });
    } catch (error) {
      // Nobody waits for one that was stopped.
      if (!this.stopping.signal.aborted) this.say({ kind: "untraced", id, of, message: messageOf(error) });
    }
  }

  stop(): void {
    this.stopping.abort();
  }

  /** A trace goes on until another one is wanted. */
  makeWay(): void {}

  /** Traces do not pause with the runs. */
  goOn(): void {}

  batchSteps(): number {
    return this.pace.steps;
  }

  onBatch({ nowNs }: RunView): void {
    const { id, of, endNs } = this.order;
    if (this.pace.batchDone())
      this.pace.showing(() => this.say({ kind: "tracing", id, of, share: endNs > 0 ? Math.min(1, nowNs / endNs) : 0 }));
  }

  giveWay(): Promise<void> {
    return setImmediate();
  }
}
