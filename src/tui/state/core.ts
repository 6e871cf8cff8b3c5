import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { PlanDocument } from "../../plan/answer/plan-document.ts";
import type { JobBase } from "../../plan/job/job.ts";
import type { Tone } from "../../report/page.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { EngineOrder } from "../engine/messages.ts";
import type { Library } from "../library/library.ts";
import type { DetailsFormat } from "./details-formats.ts";
import type { RunRecord } from "./run-record.ts";
import type { Trial } from "./trial.ts";

/** A line of text that is being typed, and whom it is for. */
export interface Prompt {
  /** Of the screen, or `command`. */
  readonly kind: string;
  readonly label: string;
  readonly value: string;
  /** What the text may be completed to. */
  readonly suggestions: readonly string[];
}

export interface Notice {
  readonly text: string;
  readonly tone: Tone | null;
}

/** A plan that was opened. */
export interface OpenPlan {
  readonly file: string;
  readonly document: PlanDocument;
  /** Whether its scenario lies where it lay, so that its candidates can be run. */
  readonly hasScenario: boolean;
}

/** What all screens see. */
export interface Core {
  readonly size: Size;
  readonly library: Library;
  /** In the order in which they began. */
  readonly runs: readonly RunRecord[];
  /** Short runs that answer questions, the last ones. */
  readonly trials: readonly Trial[];
  /** The plan that was opened last; null before the first. */
  readonly plan: OpenPlan | null;
  /** The run that the screens show; null before the first. */
  readonly current: number | null;
  /** Two runs or results to compare, by id. */
  readonly marked: readonly number[];
  /** Whether a run ends once an SLO is missed. */
  readonly abortOnFail: boolean;
  /** Whether screens keep showing what they showed, while the run goes on. */
  readonly frozen: boolean;
  readonly nextId: number;
}

/** What a screen asks for beside a change of its own state. */
export type Intent =
  | { readonly kind: "open"; readonly screen: string }
  | { readonly kind: "back" }
  | { readonly kind: "show"; readonly run: number }
  | { readonly kind: "mark"; readonly run: number }
  | { readonly kind: "ask"; readonly prompt: Prompt }
  | { readonly kind: "say"; readonly text: string; readonly tone?: Tone }
  /** Runs a scenario; the screens show it. */
  | { readonly kind: "start"; readonly name: string; readonly request: JobBase }
  /** The same from its file, with settings laid over it. */
  | {
      readonly kind: "startFile";
      readonly file: string;
      readonly settings: readonly string[];
      /** Parameters of its file paths, beside those that the screens were started with. */
      readonly params?: JobBase["params"];
    }
  /** Runs a scenario beside all others to compare it; its trial has the next id. `ends`: trials that nobody waits for any more. */
  | { readonly kind: "try"; readonly request: JobBase; readonly stated: JobBase; readonly ends: readonly number[] }
  /** Follows a request of a run in a second one; null: nobody wants to know any more. */
  | { readonly kind: "trace"; readonly run: number; readonly of: number | null }
  /** Opens a saved result or a plan. */
  | { readonly kind: "load"; readonly file: string }
  | { readonly kind: "engine"; readonly order: EngineOrder }
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "freeze"; readonly frozen: boolean }
  | { readonly kind: "abortOnFail"; readonly on: boolean }
  | { readonly kind: "copy"; readonly text: string }
  /** Writes a scenario with its settings in it. */
  | { readonly kind: "writeScenario"; readonly path: string; readonly request: JobBase; readonly name: string }
  /** Writes a result; the ending of the name says how. */
  | { readonly kind: "writeResult"; readonly path: string; readonly forecast: Forecast }
  /** Writes what happened in a run; `command` does the same without the screens. */
  | {
      readonly kind: "writeDetails";
      readonly path: string;
      readonly format: DetailsFormat;
      readonly forecast: Forecast;
      readonly details: RunDetails;
      readonly command: string | null;
    }
  /** Writes a copy of a scenario file, with settings in it. */
  | { readonly kind: "copyFile"; readonly path: string; readonly file: string; readonly settings: readonly string[] }
  | { readonly kind: "quit" };

/** The run that the screens show. */
export const currentRun = ({ runs, current }: Core): RunRecord | null => runs.find(({ id }) => id === current) ?? null;
