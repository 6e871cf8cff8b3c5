import type { Forecast } from "../../forecast/forecast.ts";
import type { JobBase } from "../../plan/job/job.ts";
import type { FormField } from "../../scenario/form-fields.ts";
import type { EngineReport } from "../engine/messages.ts";

/** A short run that answers a question, and the keys that its scenario may state. */
export interface Trial {
  readonly id: number;
  readonly request: JobBase;
  readonly forecast: Forecast | null;
  readonly wallMs: number;
  /** Requests that a sample of its scenario has at least. */
  readonly leastSample: number;
  /** Why there is no forecast. */
  readonly message: string | null;
  /** null until they were told. */
  readonly fields: readonly FormField[] | null;
  /** Whether it was ended before its answer was there: nobody waited for it any more. */
  readonly ended: boolean;
}

export const newTrial = (id: number, request: JobBase): Trial => ({
  id,
  request,
  forecast: null,
  wallMs: 0,
  leastSample: 0,
  message: null,
  fields: null,
  ended: false,
});

/** Whether its run goes on. */
export const isTrying = ({ forecast, message }: Trial): boolean => forecast === null && message === null;

/** A trial after what its engine says of it. */
export function trialHeard(trial: Trial, report: EngineReport): Trial {
  switch (report.kind) {
    case "finished":
      return {
        ...trial,
        forecast: report.forecast,
        wallMs: report.wallMs,
        leastSample: report.leastSample,
        ended: trial.ended && report.forecast.interrupted,
      };
    case "failed":
      return { ...trial, message: report.message };
    case "fields":
      return { ...trial, fields: report.fields };
    default:
      return trial;
  }
}
