import { type ExitCode, exitCodes } from "../../core/errors.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { JobBase } from "../../plan/job/job.ts";
import { messageOf } from "../engine/error-message.ts";
import type { Effect, Event } from "../state/events.ts";
import { stem } from "../state/stem.ts";
import { listLibrary } from "./list-library.ts";

/** Where files lie, and how scenarios are read. */
export interface LibraryPlaces {
  readonly folder: string;
  readonly resultsFolder: string;
  /** The scenario of a file, with settings laid over it; parameters of the command line stand above these. */
  readonly read: (file: string, settings: readonly string[], params?: JobBase["params"]) => Promise<JobBase>;
}

/** Effects that read or write files. */
export type FileEffect = Extract<
  Effect,
  {
    readonly kind: "startFile" | "load" | "endLoad" | "writeScenario" | "writeResult" | "writeDetails" | "copyFile";
  }
>;

/** What the screens do with files: lists, scenarios, documents, results. What comes of it is told as events. */
export class LibraryEffects {
  private readonly places: LibraryPlaces;
  private readonly tell: (event: Event) => void;
  /** Ends the reading of a document; null while none is read. */
  private reading: AbortController | null = null;
  private readonly saving = new Set<Promise<void>>();
  /** When the result of a run was first kept: its file is named by that. */
  private readonly keptAtMs = new Map<number, number>();
  /** Why results could not be kept, by run. */
  readonly lost = new Map<number, string>();

  constructor(places: LibraryPlaces, tell: (event: Event) => void) {
    this.places = places;
    this.tell = tell;
  }

  /** Names alone, at once. */
  async list(): Promise<void> {
    this.tell({ kind: "library", library: await listLibrary(this.places.folder) });
  }

  /** The same with what the files say. */
  async listAgain(): Promise<void> {
    const { folder, resultsFolder } = this.places;
    const { readLibrary } = await import("./read-library.ts");
    this.tell({ kind: "library", library: await readLibrary(await listLibrary(folder), folder, resultsFolder) });
  }

  /** Keeps the result of a run as soon as it is there: nothing that happens later loses it. */
  keep(id: number, forecast: Forecast): void {
    const atMs = this.keptAtMs.get(id) ?? Date.now();
    this.keptAtMs.set(id, atMs);
    const saved = import("./saved-results.ts")
      .then(({ saveResult }) => saveResult(this.places.resultsFolder, forecast, atMs))
      .then((file) => this.tell({ kind: "saved", id, file }))
      .catch((error: unknown) => {
        this.lost.set(id, messageOf(error));
        this.tell({ kind: "said", text: messageOf(error), tone: "bad" });
      })
      .finally(() => this.saving.delete(saved));
    this.saving.add(saved);
  }

  /** Whether a result is being written. */
  get isSaving(): boolean {
    return this.saving.size > 0;
  }

  /** The code of a session that ends with `code`: a result that was lost is an output that could not be written. */
  exitCode(code: ExitCode): ExitCode {
    return code === exitCodes.ok && this.lost.size > 0 ? exitCodes.usage : code;
  }

  /** Nobody waits for what is read. */
  end(): void {
    this.reading?.abort();
  }

  /** `nameOf`: of a scenario, as far as its file was read already. Throws what reading and writing throw. */
  async carryOut(effect: FileEffect, nameOf: (file: string) => string): Promise<void> {
    switch (effect.kind) {
      case "startFile": {
        const request = await this.places.read(effect.file, effect.settings, effect.params);
        const intents = [
          { kind: "start", name: nameOf(effect.file), request } as const,
          { kind: "open", screen: "run" } as const,
        ];
        this.tell({ kind: "intents", intents });
        return;
      }
      case "load":
        return this.load(effect.file);
      case "endLoad":
        this.end();
        return;
      case "writeScenario": {
        const { writeScenario } = await import("./write-scenario.ts");
        await writeScenario(effect.path, effect.request, effect.name);
        return this.written(`moecast run ${effect.path}`);
      }
      case "writeResult": {
        const { writeResult } = await import("./write-result.ts");
        await writeResult(effect.path, effect.forecast);
        return this.written(effect.path);
      }
      case "writeDetails": {
        const { path, format, forecast, details, command } = effect;
        const { writeDetails } = await import("./write-result.ts");
        await writeDetails(path, format, forecast, details);
        return this.written(command ?? path);
      }
      case "copyFile": {
        const { writeScenario } = await import("./write-scenario.ts");
        const request = await this.places.read(effect.file, effect.settings);
        await writeScenario(effect.path, request, stem(effect.path));
        await this.listAgain();
        return this.written(`${effect.path}: edit it, then Enter on it`);
      }
    }
  }

  private written(what: string): void {
    this.tell({ kind: "said", text: `written: ${what}`, tone: "good" });
  }

  /** Opens a document. The one that is opened last is the one that is shown. */
  private async load(file: string): Promise<void> {
    this.end();
    const own = new AbortController();
    this.reading = own;
    this.tell({ kind: "reading", file });
    try {
      const { openAside } = await import("./open-aside.ts");
      const opened = await openAside(file, own.signal);
      if (own.signal.aborted) return;
      if (opened.kind === "plan") this.tell({ kind: "planned", plan: opened.plan });
      else this.tell({ kind: "loaded", forecast: opened.forecast, file, show: true });
    } catch (error) {
      if (!own.signal.aborted) throw error;
    } finally {
      if (this.reading === own) {
        this.reading = null;
        this.tell({ kind: "reading", file: null });
      }
    }
  }
}
