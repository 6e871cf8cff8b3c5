import type { ExitCode, Problem } from "../core/errors.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import type { Forecast } from "../forecast/forecast.ts";

/** A scenario that gave no forecast, and what its error said. */
export interface ScenarioFailure {
  readonly file: string;
  readonly message: string;
  /** What kind of error it was: 3 wrong input, 4 infeasible, 1 a defect of moecast. */
  readonly code?: ExitCode;
  /** The parts of the message that have places; absent or empty where it has none. */
  readonly problems?: readonly Problem[];
}

/** What a file is rendered from besides forecasts. */
export interface ExportContext {
  /** Scenarios of the same run without a forecast: reports for people and pipelines must not be silent about them. */
  readonly failures?: readonly ScenarioFailure[];
  /** What happened in each run, in the order of the forecasts: for formats that need it. */
  readonly details?: readonly RunDetails[];
  /** Bytes the file holds already, for formats that are appended. */
  readonly presentBytes?: number;
}

/** Renders the outcome of a run into one file, as text unless it says otherwise. Pure: the caller writes it. */
export interface Exporter<Rendered = string> {
  /** Whether the file is added to instead of replaced. */
  readonly appends: boolean;
  /** Whether there is something to write for a run without any forecast. */
  readonly reportsFailures: boolean;
  /** Whether it is made from what happened in the runs, beside their forecasts. */
  readonly needsDetails?: boolean;
  render(forecasts: readonly Forecast[], context?: ExportContext): Rendered;
}

/** Any of them: text, or bytes that a package writes which is loaded when they are asked for. */
export type AnyExporter = Exporter<string | Promise<Uint8Array>>;
