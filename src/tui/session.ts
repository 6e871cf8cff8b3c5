import { setTimeout as sleep } from "node:timers/promises";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { oneLine, printable } from "../core/printable.ts";
import { hearNotices } from "../files/notices.ts";
import type { Palette } from "../report/widgets/palette.ts";
import type { Size } from "../report/widgets/styled-text.ts";
import { Engine } from "./engine/engine.ts";
import { messageOf } from "./engine/error-message.ts";
import type { EngineReport } from "./engine/messages.ts";
import type { KeyListener } from "./ink/app.tsx";
import type { Mounted } from "./ink/mount.tsx";
import type { KeyMap } from "./keys/key-map.ts";
import { emptyLibrary } from "./library/library.ts";
import { LibraryEffects, type LibraryPlaces } from "./library/library-effects.ts";
import { type AppState, firstState } from "./state/app-state.ts";
import type { Effect, Event } from "./state/events.ts";
import { lastLines } from "./state/last-lines.ts";
import { reduce } from "./state/reducer.ts";
import { isOpen } from "./state/run-record.ts";
import { clipboardBytes } from "./terminal/clipboard.ts";
import type { Display } from "./terminal/display.ts";
import { JobControl } from "./terminal/job-control.ts";
import { hearEnds } from "./terminal/process-ends.ts";
import { ReaderDisplay, readerSize } from "./terminal/reader-display.ts";
import { ScreenDisplay } from "./terminal/screen-display.ts";
import { frame } from "./view/frame.ts";

/** A run that is ended by leaving has so long to come to an end: the figures of a million requests take seconds. */
const lastWordsMs = 10_000;

export interface SessionOptions extends LibraryPlaces {
  readonly keys: KeyMap;
  readonly palette: Palette;
  /** Whether frames are lines for a screen reader. */
  readonly reader: boolean;
  /** Scenario, or saved result or plan, to begin with; null: the home screen. */
  readonly begin: { readonly kind: "scenario" | "document"; readonly file: string } | null;
  readonly settings: readonly string[];
}

/** The screens at work: state, terminal, engine and files. */
export class Session implements KeyListener {
  private readonly options: SessionOptions;
  private state: AppState;
  private readonly engine = new Engine((report) => this.heard(report));
  private readonly trials = new Engine((report) => this.dispatch({ kind: "engine", report }));
  private readonly display: Display;
  private readonly job = new JobControl(
    () => this.giveBack(),
    () => this.takeAgain(),
  );
  private ink: Mounted | null = null;
  private leaving: ((code: ExitCode) => void) | null = null;
  private readonly files: LibraryEffects;

  constructor(options: SessionOptions) {
    this.options = options;
    this.files = new LibraryEffects(options, (event) => this.dispatch(event));
    const draw = () => frame(this.state, options.palette);
    this.display = new (options.reader ? ReaderDisplay : ScreenDisplay)(process.stdout, draw);
    this.state = firstState(this.size(), emptyLibrary, options.keys);
  }

  /** Of the terminal, or of what is said of it. */
  private size(): Size {
    const { columns, rows } = process.stdout;
    return this.options.reader ? readerSize(rows || 0) : { width: columns || 80, height: rows || 24 };
  }

  /** Shows the screens until somebody leaves them. Returns the exit code. */
  async run(): Promise<ExitCode> {
    const { stdin, stdout } = process;
    const left = new Promise<ExitCode>((resolve) => {
      this.leaving = resolve;
    });
    const resized = () => {
      // What the terminal made of the old lines is its own affair.
      this.display.forget();
      this.dispatch({ kind: "resized", size: this.size() });
    };
    const heardNoMore = hearEnds((code) => this.leave(code), this.broken);
    stdout.on("resize", resized);
    hearNotices((text) => this.dispatch({ kind: "said", text, tone: null }));
    this.job.begin();
    // Keys that are pressed before Ink is there are kept, not echoed.
    stdin.setRawMode(true);
    this.display.enter();
    try {
      await this.files.list();
      this.display.show("key");
      const { mountInk } = await import("./ink/mount.tsx");
      this.ink = mountInk(this, () => this.state.prompt !== null);
      void this.begin();
      const code = await left;
      await this.finish();
      return this.files.exitCode(code);
    } finally {
      try {
        this.display.close();
        this.ink?.unmount();
      } catch {
        // To a terminal that is gone there is nothing to give back.
      }
      this.files.end();
      await Promise.all([this.engine.close(), this.trials.close()]);
      heardNoMore();
      hearNotices(null);
      this.job.end();
      stdout.off("resize", resized);
      stdin.pause();
      for (const line of lastLines(this.state.core.runs, this.files.lost)) stdout.write(`${line}\n`);
    }
  }

  private async begin(): Promise<void> {
    const { begin, settings } = this.options;
    if (begin?.kind === "scenario") void this.effect({ kind: "startFile", file: begin.file, settings });
    if (begin?.kind === "document") void this.effect({ kind: "load", file: begin.file });
    await this.files.listAgain();
  }

  /** The name of a scenario, as far as its file was read already. */
  private readonly nameOf = (file: string): string =>
    this.state.core.library.scenarios.find((entry) => entry.file === file)?.name ?? file;

  private heard(report: EngineReport): void {
    this.dispatch({ kind: "engine", report });
    // Advice comes later, and is kept with its result.
    if (report.kind === "finished" || report.kind === "advised") this.files.keep(report.id, report.forecast);
  }

  private dispatch(event: Event): void {
    const { state, effects } = reduce(this.state, event);
    // What has been made or kept since is listed, too.
    const isHome = state.screen === "home" && this.state.screen !== "home";
    this.state = state;
    if (isHome) void this.files.listAgain();
    for (const effect of effects) void this.effect(effect);
    this.display.show(isProgress(event) ? "live" : "key");
  }

  private async effect(effect: Effect): Promise<void> {
    try {
      switch (effect.kind) {
        case "engine":
          this.engine.tell(effect.order);
          return;
        case "trial":
          this.trials.tell(effect.order);
          return;
        case "copy":
          this.copy(effect.text);
          return;
        case "redraw":
          this.display.forget();
          this.display.show("key");
          return;
        case "suspend":
          this.job.suspend();
          return;
        case "quit":
          this.leave(exitCodes.ok);
          return;
        default:
          await this.files.carryOut(effect, this.nameOf);
      }
    } catch (error) {
      this.say(error);
    }
  }

  private copy(text: string): void {
    const bytes = clipboardBytes(text);
    if (bytes === null) {
      this.dispatch({ kind: "said", text: "too long for the clipboard of a terminal: nothing was sent", tone: "warn" });
      return;
    }
    process.stdout.write(bytes);
    this.dispatch({ kind: "said", text: `sent to the clipboard of the terminal: ${text}`, tone: "good" });
  }

  private say(error: unknown): void {
    this.dispatch({ kind: "said", text: oneLine(messageOf(error)), tone: "bad" });
  }

  /** To the shell, until it is told to go on. */
  private async giveBack(): Promise<void> {
    this.display.leave();
    process.stdin.setRawMode(false);
    // What is not written when the process stops would be written over what the shell shows next.
    await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  }

  private takeAgain(): void {
    const { stdin } = process;
    // The shell may have set the mode anew: Node sets none that it believes to be set.
    stdin.setRawMode(false).setRawMode(true);
    this.display.enter();
    this.display.show("key");
    // A job in the background is not told of another size.
    process.kill(process.pid, "SIGWINCH");
  }

  private leave(code: ExitCode): void {
    // A terminal that is gone, or a thread that hears nothing, keeps nobody waiting.
    if (this.leaving !== null) setTimeout(() => process.exit(code), 2 * lastWordsMs).unref();
    this.leaving?.(code);
    this.leaving = null;
  }

  /** Ends what still runs, so that its result so far is kept, within a time. What has not begun has none. */
  private async finish(): Promise<void> {
    const open = this.state.core.runs.filter(isOpen);
    const begun = new Set(open.filter(({ snapshot }) => snapshot !== null).map(({ id }) => id));
    for (const { id } of open) this.engine.tell({ kind: "stop", id });
    const untilMs = Date.now() + lastWordsMs;
    const waited = () => this.state.core.runs.filter((run) => begun.has(run.id) && isOpen(run));
    while ((this.files.isSaving || waited().length > 0) && Date.now() < untilMs) await sleep(10);
    for (const { id } of waited()) this.files.lost.set(id, `it did not end within ${lastWordsMs / 1000} s`);
  }

  /** A defect: the terminal is given back before it is said. */
  private readonly broken = (error: unknown): void => {
    this.display.close();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`internal error, please report it:\n${printable(text)}\n`);
    process.exit(exitCodes.internal);
  };

  readonly pressed = (key: string): void => this.dispatch({ kind: "key", key });
  readonly text = (text: string): void => this.dispatch({ kind: "text", text });
}

/** Whether something has only come further, for which nobody waits. */
const isProgress = (event: Event): boolean =>
  event.kind === "library" || (event.kind === "engine" && /^(?:snapshot|tracing)$/.test(event.report.kind));
