import { setTimeout as sleep } from "node:timers/promises";
import { type ExitCode, exitCodes, MoecastError } from "../core/errors.ts";
import { oneLine, printable } from "../core/printable.ts";
import type { JobBase } from "../plan/job/job.ts";
import { headline } from "../report/headline.ts";
import type { Palette } from "../report/widgets/palette.ts";
import { Engine } from "./engine/engine.ts";
import type { EngineReport } from "./engine/messages.ts";
import type { InkHost } from "./ink/app.tsx";
import type { Mounted } from "./ink/mount.tsx";
import type { KeyMap } from "./keys/key-map.ts";
import { emptyLibrary } from "./library/library.ts";
import { listLibrary } from "./library/list-library.ts";
import { type AppState, firstState } from "./state/app-state.ts";
import { commandLine } from "./state/command-line.ts";
import type { Effect, Event } from "./state/events.ts";
import { reduce } from "./state/reducer.ts";
import { isOpen } from "./state/run-record.ts";
import { copyText } from "./terminal/clipboard.ts";
import type { Display } from "./terminal/display.ts";
import { ReaderDisplay } from "./terminal/reader-display.ts";
import { ScreenDisplay } from "./terminal/screen-display.ts";
import { frame } from "./view/frame.ts";

/** A run that is ended by leaving has so long to come to an end. */
const lastWordsMs = 3000;

export interface SessionOptions {
  readonly folder: string;
  readonly resultsFolder: string;
  readonly keys: KeyMap;
  readonly palette: Palette;
  /** Whether frames are lines for a screen reader. */
  readonly reader: boolean;
  /** Scenario, or saved result or plan, to begin with; null: the home screen. */
  readonly begin: { readonly kind: "scenario" | "document"; readonly file: string } | null;
  readonly settings: readonly string[];
  /** The scenario of a file, with settings laid over it. */
  readonly read: (file: string, settings: readonly string[]) => Promise<JobBase>;
}

/** The screens at work: state, terminal, engine and files. */
export class Session implements InkHost {
  private readonly options: SessionOptions;
  private state: AppState;
  private readonly engine = new Engine((report) => this.heard(report));
  private readonly trials = new Engine((report) => this.dispatch({ kind: "engine", report }));
  private readonly display: Display;
  private ink: Mounted | null = null;
  private promptLine = "";
  private readonly listeners = new Set<() => void>();
  private shownPrompt: ReturnType<InkHost["prompt"]> = null;
  private leaving: ((code: ExitCode) => void) | null = null;
  private readonly saving = new Set<Promise<void>>();
  /** Lines for the normal screen. */
  private readonly lastLines: string[] = [];

  constructor(options: SessionOptions) {
    this.options = options;
    const { columns, rows } = process.stdout;
    const draw = () => frame(this.state, options.palette, this.promptLine);
    this.display = new (options.reader ? ReaderDisplay : ScreenDisplay)(process.stdout, draw);
    this.state = firstState({ width: columns || 80, height: rows || 24 }, emptyLibrary, options.keys);
  }

  /** Shows the screens until somebody leaves them. Returns the exit code. */
  async run(): Promise<ExitCode> {
    const { stdin, stdout } = process;
    const left = new Promise<ExitCode>((resolve) => {
      this.leaving = resolve;
    });
    const resized = () => {
      const { columns, rows } = stdout;
      // What the terminal made of the old lines is its own affair.
      this.display.forget();
      this.dispatch({ kind: "resized", size: { width: columns || 80, height: rows || 24 } });
    };
    const hungUp = () => this.leave(exitCodes.interrupted);
    const ended = [
      ["SIGTERM", exitCodes.terminated],
      ["SIGHUP", exitCodes.terminated],
      ["SIGINT", exitCodes.interrupted],
    ] as const;
    const handlers = ended.map(([signal, code]) => [signal, () => this.leave(code)] as const);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    process.on("uncaughtException", this.broken);
    stdout.on("resize", resized);
    stdin.on("end", hungUp).on("close", hungUp);
    // Keys that are pressed before Ink is there are kept, not echoed.
    stdin.setRawMode(true);
    this.display.enter();
    try {
      this.dispatch({ kind: "library", library: await listLibrary(this.options.folder) });
      this.display.show("key");
      const { mountInk } = await import("./ink/mount.tsx");
      this.ink = mountInk(
        this,
        () => stdout.columns,
        (line) => {
          this.promptLine = line;
          this.display.show("key");
        },
      );
      void this.begin();
      const code = await left;
      await this.finish();
      return code;
    } finally {
      try {
        this.display.close();
        this.ink?.unmount();
      } catch {
        // To a terminal that is gone there is nothing to give back.
      }
      await Promise.all([this.engine.close(), this.trials.close()]);
      for (const [signal, handler] of handlers) process.off(signal, handler);
      process.off("uncaughtException", this.broken);
      stdout.off("resize", resized);
      stdin.off("end", hungUp).off("close", hungUp);
      stdin.pause();
      for (const line of this.lastLines) stdout.write(`${line}\n`);
    }
  }

  private async begin(): Promise<void> {
    const { begin, settings } = this.options;
    if (begin?.kind === "scenario") void this.effect({ kind: "startFile", file: begin.file, settings });
    if (begin?.kind === "document") void this.effect({ kind: "load", file: begin.file });
    await this.listAgain();
  }

  /** The name of a scenario, as far as its file was read already. */
  private nameOf(file: string): string {
    return this.state.core.library.scenarios.find((entry) => entry.file === file)?.name ?? file;
  }

  /** Lists the files anew, with what they say. */
  private async listAgain(): Promise<void> {
    const { folder, resultsFolder } = this.options;
    const { readLibrary } = await import("./library/read-library.ts");
    this.dispatch({ kind: "library", library: await readLibrary(await listLibrary(folder), folder, resultsFolder) });
  }

  private heard(report: EngineReport): void {
    this.dispatch({ kind: "engine", report });
    if (report.kind !== "finished") return;
    // A result is kept as soon as it is there: nothing that happens later loses it.
    const saved = import("./library/saved-results.ts")
      .then(({ saveResult }) => saveResult(this.options.resultsFolder, report.forecast, Date.now()))
      .then((file) => this.dispatch({ kind: "saved", id: report.id, file }))
      .catch((error: unknown) => this.say(error))
      .finally(() => this.saving.delete(saved));
    this.saving.add(saved);
  }

  private dispatch(event: Event): void {
    const { state, effects } = reduce(this.state, event);
    const typing = state.prompts !== this.state.prompts || (state.prompt === null) !== (this.state.prompt === null);
    this.state = state;
    if (typing) {
      this.shownPrompt = state.prompt === null ? null : { prompt: state.prompt, number: state.prompts };
      for (const changed of this.listeners) changed();
    }
    for (const effect of effects) void this.effect(effect);
    this.display.show(event.kind === "key" || event.kind === "resized" ? "key" : "live");
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
        case "startFile": {
          const request = await this.options.read(effect.file, effect.settings);
          const intents = [
            { kind: "start", name: this.nameOf(effect.file), request } as const,
            { kind: "open", screen: "run" } as const,
          ];
          this.dispatch({ kind: "intents", intents });
          return;
        }
        case "load": {
          const { file } = effect;
          const { openDocument } = await import("./library/open-document.ts");
          const opened = await openDocument(file);
          if (opened.kind === "plan") this.dispatch({ kind: "planned", plan: opened.plan });
          else this.dispatch({ kind: "loaded", forecast: opened.forecast, file, show: true });
          return;
        }
        case "copy":
          copyText(effect.text);
          this.dispatch({ kind: "said", text: `sent to the clipboard of the terminal: ${effect.text}`, tone: "good" });
          return;
        case "writeScenario": {
          const { writeScenario } = await import("./library/write-scenario.ts");
          await writeScenario(effect.path, effect.request, effect.name);
          this.dispatch({ kind: "said", text: `written: moecast run ${effect.path}`, tone: "good" });
          return;
        }
        case "writeResult": {
          const { writeResult } = await import("./library/write-result.ts");
          await writeResult(effect.path, effect.forecast);
          this.dispatch({ kind: "said", text: `written: ${effect.path}`, tone: "good" });
          return;
        }
        case "writeDetails": {
          const { path, format, forecast, details, command } = effect;
          const { writeDetails } = await import("./library/write-result.ts");
          await writeDetails(path, format, forecast, details);
          this.dispatch({ kind: "said", text: `written: ${command ?? path}`, tone: "good" });
          return;
        }
        case "copyFile": {
          const { writeScenario } = await import("./library/write-scenario.ts");
          const request = await this.options.read(effect.file, []);
          await writeScenario(effect.path, request, effect.path.replace(/^.*[\\/]|\.ya?ml$/g, ""));
          await this.listAgain();
          this.dispatch({ kind: "said", text: `written: ${effect.path}: edit it, then Enter on it`, tone: "good" });
          return;
        }
        case "redraw":
          this.display.forget();
          this.display.show("key");
          return;
        case "quit":
          this.leave(exitCodes.ok);
          return;
      }
    } catch (error) {
      this.say(error);
    }
  }

  private say(error: unknown): void {
    const text =
      error instanceof MoecastError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    this.dispatch({ kind: "said", text: oneLine(text), tone: "bad" });
  }

  private leave(code: ExitCode): void {
    // A terminal that is gone, or a thread that hears nothing, keeps nobody waiting.
    if (this.leaving !== null) setTimeout(() => process.exit(code), 2 * lastWordsMs).unref();
    this.leaving?.(code);
    this.leaving = null;
  }

  /** Ends what still runs, so that its result so far is kept, and says what there is. */
  private async finish(): Promise<void> {
    const open = this.state.core.runs.filter(isOpen);
    for (const { id } of open) this.engine.tell({ kind: "stop", id });
    const untilMs = Date.now() + lastWordsMs;
    const waits = () => this.saving.size > 0 || this.state.core.runs.some(isOpen);
    while (waits() && Date.now() < untilMs) await sleep(10);
    for (const { forecast, name, request, savedAs, stand } of this.state.core.runs) {
      if (stand === "loaded") continue;
      if (forecast === null) this.lastLines.push(`${oneLine(name)}: no result`);
      else {
        this.lastLines.push(`${oneLine(name)}: ${headline(forecast)}`);
        if (savedAs !== null) this.lastLines.push(`  kept in ${oneLine(savedAs)}`);
        if (request !== null) this.lastLines.push(`  again: ${oneLine(commandLine(request))}`);
      }
    }
  }

  /** A defect: the terminal is given back before it is said. */
  private readonly broken = (error: unknown): void => {
    this.display.close();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`internal error, please report it:\n${printable(text)}\n`);
    process.exit(exitCodes.internal);
  };

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  };
  readonly prompt = (): ReturnType<InkHost["prompt"]> => this.shownPrompt;
  readonly pressed = (key: string): void => this.dispatch({ kind: "key", key });
  readonly typed = (text: string, done: boolean): void => this.dispatch({ kind: "typed", text, done });
  readonly untyped = (): void => this.dispatch({ kind: "untyped" });
}
