import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { type FinishedRun, tryChanges } from "../../forecast/advice/try-changes.ts";
import { detailsSoFar } from "../../forecast/details/details-so-far.ts";
import { detailsOf } from "../../forecast/details/run-details.ts";
import type { SloVerdict } from "../../forecast/forecast.ts";
import { type ForecastDeps, type RunWatch, runScenario } from "../../forecast/forecast-scenario.ts";
import { LiveRun } from "../../forecast/live/live-run.ts";
import { leastSample } from "../../resolve/request-samples.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import { parseScenario, type Scenario } from "../../scenario/parse-scenario.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import { messageOf } from "./error-message.ts";
import type { EngineOrder, EngineReport } from "./messages.ts";
import { Pace } from "./pace.ts";

/** What is said of a run that was stopped when nothing had happened yet. */
export const stoppedEarly = "stopped before its first step";

/** What holds for all runs of a thread. */
export interface EngineMode {
  readonly paused: boolean;
  readonly abortOnFail: boolean;
  /** The run whose experts and caches somebody looks at while it goes on; null: nobody does. */
  readonly lookedAt: number | null;
}

/** One scenario that is run, followed and told of. */
export class EngineRun implements RunWatch {
  readonly id: number;
  private readonly order: Extract<EngineOrder, { kind: "run" }>;
  private readonly mode: EngineMode;
  private readonly files: ForecastDeps;
  private readonly say: (report: EngineReport) => void;
  private readonly stopping = new AbortController();
  private readonly advising = new AbortController();
  private readonly pace = new Pace();
  private scenario: Scenario | null = null;
  private live: LiveRun | null = null;
  private view: RunView | null = null;
  private leastSample = Number.POSITIVE_INFINITY;
  private resolved: ResolvedScenario | null = null;
  /** Called when a paused run may go on. */
  private resume: (() => void) | null = null;

  constructor(
    order: Extract<EngineOrder, { kind: "run" }>,
    mode: EngineMode,
    files: ForecastDeps,
    say: (report: EngineReport) => void,
  ) {
    this.id = order.id;
    this.order = order;
    this.mode = mode;
    this.files = files;
    this.say = say;
  }

  /** Runs it to its end; whatever is wrong with it is said. */
  async run(): Promise<void> {
    const { id } = this;
    try {
      const finished = await this.simulate();
      const { forecast } = finished;
      const { wallMs } = this.pace;
      if (this.live !== null) this.tell();
      // What is run to be compared is looked at by its forecast alone.
      const details = this.order.live ? detailsOf(this.view!) : null;
      this.say({ kind: "finished", id, forecast, details, wallMs, leastSample: this.leastSample });
      if (this.order.live && !forecast.interrupted) await this.advise(finished);
    } catch (error) {
      // Whatever was under way ends with an error of its own.
      if (this.stopping.signal.aborted) this.say({ kind: "failed", id, message: stoppedEarly });
      else this.say({ kind: "failed", id, message: messageOf(error) });
    }
  }

  /** Tries what would help, as `moecast run` does, until somebody wants something else. */
  private async advise(finished: FinishedRun): Promise<void> {
    const { forecast } = finished;
    const advice = await tryChanges(finished, { ...this.files, signal: this.advising.signal });
    if (advice === null || this.advising.signal.aborted) return;
    const bottleneck = { ...forecast.bottleneck, advice };
    this.say({ kind: "advised", id: this.id, forecast: { ...forecast, bottleneck } });
  }

  private simulate(): Promise<FinishedRun> {
    const { file, text, settings, params } = this.order.request;
    this.scenario = parseScenario(text, file, { settings, params });
    return runScenario(this.scenario, { ...this.files, signal: this.stopping.signal, watch: this, picture: true });
  }

  stop(): void {
    this.stopping.abort();
    this.makeWay();
    this.goOn();
  }

  /** Something else is wanted: what is tried beside the run itself is ended. */
  makeWay(): void {
    this.advising.abort();
  }

  /** The mode has changed. */
  goOn(): void {
    if (!this.mode.paused || this.stopping.signal.aborted) this.resume?.();
  }

  batchSteps(): number {
    return this.pace.steps;
  }

  /** Somebody has begun to look at a run: this one, where it stands still, is told of as it is. */
  looked(): void {
    if (this.resume !== null) this.tellDetails();
  }

  onBatch(view: RunView, resolved: ResolvedScenario): void {
    if (this.view === null) this.leastSample = leastOf(this.scenario!, view);
    this.view = view;
    this.resolved = resolved;
    if (!this.order.live) return;
    this.live ??= new LiveRun(this.scenario!, view);
    if (this.pace.batchDone()) this.tell();
    if (this.pace.detailsDue()) this.tellDetails();
  }

  /** Experts and caches so far, where somebody looks at them. */
  private tellDetails(): void {
    if (this.mode.lookedAt !== this.id || this.view === null) return;
    const [view, resolved] = [this.view, this.resolved!];
    this.pace.detailing(() => this.say({ kind: "details", id: this.id, details: detailsSoFar(view, resolved) }));
  }

  private tell(): void {
    this.pace.showing(() => {
      const snapshot = this.live!.snapshot();
      this.say({ kind: "snapshot", id: this.id, snapshot, wallMs: this.pace.wallMs, leastSample: this.leastSample });
      if (this.mode.abortOnFail && snapshot.slos.some(missedBeyondChance)) this.stopping.abort();
    });
  }

  /** Between batches: messages are served, and a paused run waits. */
  async giveWay(): Promise<void> {
    if (this.mode.paused && !this.stopping.signal.aborted) {
      // What is shown while it stands still is its state, not that of some time before.
      if (this.live !== null) {
        this.tell();
        this.tellDetails();
      }
      const sinceMs = performance.now();
      await new Promise<void>((resolve) => {
        this.resume = resolve;
      });
      this.resume = null;
      this.pace.stoodStill(performance.now() - sinceMs);
    } else await setImmediate();
  }
}

function leastOf({ traffic }: Scenario, { config: { workload } }: RunView): number {
  return leastSample(traffic, workload.requests, workload.kind === "closed" ? workload.concurrency : null);
}

/** Samples from which on a missed SLO ends a run. */
const samplesMin = 100;

/** An SLO of level error whose interval lies beyond its limit. */
const missedBeyondChance = ({ level, passed, value, interval, margin, samples }: SloVerdict): boolean =>
  level === "error" && !passed && value !== null && interval === null && (margin ?? 0) < 0 && samples >= samplesMin;
