import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { LiveSnapshot } from "../../forecast/live/live-run.ts";
import type { JobBase } from "../../plan/job/job.ts";

/** What an engine thread is told. It runs one scenario at a time; the next one waits. */
export type EngineOrder =
  | { readonly kind: "run"; readonly id: number; readonly request: JobBase; readonly live: boolean }
  | { readonly kind: "pause"; readonly paused: boolean }
  /** The run `id` ends with what has happened so far, or never begins. */
  | { readonly kind: "stop"; readonly id: number }
  /** Whether a run ends once an SLO of level error is missed beyond chance. */
  | { readonly kind: "abortOnFail"; readonly on: boolean };

/** What an engine thread says. */
export type EngineReport =
  | { readonly kind: "snapshot"; readonly id: number; readonly snapshot: LiveSnapshot; readonly wallMs: number }
  | {
      readonly kind: "finished";
      readonly id: number;
      readonly forecast: Forecast;
      readonly details: RunDetails;
      readonly wallMs: number;
    }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
