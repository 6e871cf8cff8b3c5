import type { DetailsSoFar } from "../../forecast/details/details-so-far.ts";
import type { RequestTrace } from "../../forecast/details/request-trace.ts";
import type { RunDetails } from "../../forecast/details/run-details.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import type { LiveSnapshot } from "../../forecast/live/live-run.ts";
import type { JobBase } from "../../plan/job/job.ts";
import type { FormField } from "../../scenario/form-fields.ts";

/** What an engine thread is told. It runs one scenario at a time; the next one waits. */
export type EngineOrder =
  | { readonly kind: "run"; readonly id: number; readonly request: JobBase; readonly live: boolean }
  /** Asks for the keys that a scenario may state. */
  | { readonly kind: "fields"; readonly id: number; readonly request: JobBase }
  /** Follows request `of` of the run `id`, which ended at `endNs`: the run is made again up to there. Ends a trace that is under way. */
  | {
      readonly kind: "trace";
      readonly id: number;
      readonly request: JobBase;
      readonly of: number;
      readonly endNs: number;
    }
  | { readonly kind: "pause"; readonly paused: boolean }
  /** The run `id` ends with what has happened so far, or never begins. */
  | { readonly kind: "stop"; readonly id: number }
  /** Somebody looks at the experts and caches of the run `id`, of which is told while it goes on; null: nobody does any more. */
  | { readonly kind: "look"; readonly id: number | null }
  /** Whether a run ends once an SLO of level error is missed beyond chance. */
  | { readonly kind: "abortOnFail"; readonly on: boolean };

/** What an engine thread says. */
export type EngineReport =
  | {
      readonly kind: "snapshot";
      readonly id: number;
      readonly snapshot: LiveSnapshot;
      readonly wallMs: number;
      /** First requests that can stand for all, at least; Infinity where no part can. */
      readonly leastSample: number;
    }
  | { readonly kind: "details"; readonly id: number; readonly details: DetailsSoFar }
  | {
      readonly kind: "finished";
      readonly id: number;
      readonly forecast: Forecast;
      /** null for a run that was not followed. */
      readonly details: RunDetails | null;
      readonly wallMs: number;
      /** As of a snapshot. */
      readonly leastSample: number;
    }
  /** The same forecast with what would help, once that was tried. */
  | { readonly kind: "advised"; readonly id: number; readonly forecast: Forecast }
  | { readonly kind: "fields"; readonly id: number; readonly fields: readonly FormField[] }
  /** How far the trace of request `of` is, of 1; what came of it; why nothing did. */
  | { readonly kind: "tracing"; readonly id: number; readonly of: number; readonly share: number }
  | { readonly kind: "traced"; readonly id: number; readonly of: number; readonly trace: RequestTrace }
  | { readonly kind: "untraced"; readonly id: number; readonly of: number; readonly message: string }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
