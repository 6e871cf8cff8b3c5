import type { Observation } from "../calibrate/observed/observe-deployment.ts";
import {
  type ExitCode,
  exitCodes,
  InfeasibleError,
  InvalidInputError,
  MoecastError,
  type Problem,
  UsageError,
} from "../core/errors.ts";
import { oneLine, printable } from "../core/printable.ts";
import { unlessAborted } from "../files/cooperative.ts";
import { comparedWith } from "../forecast/baseline.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { type ForecastDeps, forecastScenario } from "../forecast/forecast-scenario.ts";
import { repeatScenario } from "../forecast/repeat-scenario.ts";
import type { ScenarioFailure } from "../report/exporter.ts";
import { headline } from "../report/headline.ts";
import { jsonExport } from "../report/json.ts";
import type { SummaryLevel } from "../report/summary-level.ts";
import { terminalSummary } from "../report/terminal.ts";
import { textTable } from "../report/text-table.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { readBaseline } from "./baseline-file.ts";
import { withThresholds } from "./extra-thresholds.ts";
import { followedRuns, type TimelineOptions, timelineNote } from "./followed-runs.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, type Io, processIo } from "./io.ts";
import { policiesWith } from "./plugins.ts";
import { progressLine } from "./progress.ts";
import { type GivenLimits, resolvedLimits } from "./regression-limits.ts";
import { paramsFor } from "./scenario-params.ts";
import { withSolvers } from "./solving.ts";
import { splitPair } from "./words.ts";

export interface RunOptions extends TimelineOptions {
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly threshold?: readonly string[];
  readonly seed?: number;
  readonly repeat?: number;
  readonly json?: boolean;
  readonly summary: SummaryLevel;
  readonly export?: readonly string[];
  readonly mkdir?: boolean;
  readonly observed?: string;
  readonly acceptDifferences?: boolean;
  readonly baseline?: string;
  readonly maxRegress?: GivenLimits;
  readonly thresholds: boolean;
  readonly advice: boolean;
  readonly bands?: boolean;
  readonly quiet?: boolean;
}

/** What became of the scenarios of a run. */
interface Outcomes {
  readonly forecasts: Forecast[];
  readonly failures: ScenarioFailure[];
  readonly codes: ExitCode[];
  /** In the order of the forecasts, where an export needs them; else none. */
  readonly details: RunDetails[];
}

/** Simulates every scenario, prints and exports what came out, and returns the exit code of the worst outcome. */
export async function run(files: readonly string[], options: RunOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  // The formats' packages take a while to load, and most runs export nothing.
  const exporting = options.export === undefined ? null : await import("./export-target.ts");
  const targets = (await exporting?.exportTargets(options.export ?? [], options)) ?? [];
  const params = Object.fromEntries((options.param ?? []).map((text) => splitPair(text, "--param NAME=value")));
  if (options.maxRegress !== undefined && options.baseline === undefined)
    throw new UsageError("--max-regress limits what --baseline compares: give both");
  const baseline = options.baseline === undefined ? null : await readBaseline(io, options.baseline, files.length);
  const observed = await readObserved(io, files, options);
  const policies = await policiesWith(options.plugin);
  const settings = [...(options.set ?? []), ...(options.seed === undefined ? [] : [`seed=${options.seed}`])];
  const { forecasts, failures, codes, details }: Outcomes = { forecasts: [], failures: [], codes: [], details: [] };
  const watchNext = followedRuns(options, exporting?.needs(targets), files.length);
  const overview: string[][] = [];
  const watch = watchInterrupts(io);
  const sayNotRun = (from: number): void => {
    io.err(`not run: ${files.slice(from).map(oneLine).join(", ")}\n`);
    codes.push(watch.code());
  };
  try {
    for (const [index, file] of files.entries()) {
      if (watch.signal.aborted) {
        sayNotRun(index);
        break;
      }
      const progress = options.quiet === true ? null : progressLine(io, file);
      try {
        const scenario = parseScenario(await unlessAborted(io.readText(file), watch.signal), file, {
          settings,
          params: await paramsFor(file, params, io),
          policies,
        });
        const followed = watchNext();
        const before = baseline?.(scenario.name) ?? null;
        const solving = { signal: watch.signal, quiet: options.quiet === true };
        const repeats = options.repeat ?? 1;
        const plain = await withSolvers(io, file, solving, (solve) => {
          const judged = withThresholds(scenario, options.threshold ?? []);
          const deps: ForecastDeps = {
            ...fileReader(io),
            solve,
            signal: watch.signal,
            advice: options.advice,
            picture: true,
            bands: options.bands === true,
            ...(observed === null ? {} : { observed }),
            ...(followed === null ? {} : { watch: followed }),
            ...(progress === null ? {} : { onProgress: progress.update }),
          };
          return repeats === 1 ? forecastScenario(judged, deps) : repeatScenario(judged, repeats, deps);
        });
        progress?.clear();
        const ran = plain.repetitions?.seeds.length ?? 1;
        if (ran < repeats) io.err(`interrupted: ${ran} of ${repeats} seeds of ${oneLine(file)} are kept\n`);
        const forecast = before === null ? plain : against(plain, before, options, io);
        if (options.json !== true) {
          if (forecasts.length > 0) io.out("\n");
          io.out(terminalSummary(forecast, io.style, options.summary, io.width));
        }
        forecasts.push(forecast);
        if (followed !== null) {
          const happened = followed.details();
          io.err(timelineNote(happened, oneLine(file)));
          details.push(happened);
        }
        overview.push([file, headline(forecast)]);
        codes.push(forecast.interrupted || ran < repeats ? watch.code() : outcome(forecast, options.thresholds));
      } catch (error) {
        progress?.clear();
        if (watch.ended(error)) {
          sayNotRun(index);
          break;
        }
        // Other scenarios still run; this one's message names what is wrong with it.
        const [message, code] = explain(error);
        io.err(`${printable(message)}\n`);
        failures.push({ file, message, code, problems: problemsOf(error) });
        overview.push([file, `no forecast: ${message.split("\n")[0] ?? ""}`]);
        codes.push(code);
      }
    }
  } finally {
    watch.stop();
  }
  if (options.json === true && forecasts.length > 0) io.out(jsonExport.render(forecasts, { failures }));
  if (options.json !== true && files.length > 1) {
    const lines = textTable(overview, io.width === undefined ? {} : { width: io.width });
    io.out(`\n${[io.style.bold("Scenarios"), ...lines].join("\n")}\n`);
  }
  if (exporting !== null) codes.push(await exporting.writeExports(io, targets, forecasts, failures, details));
  return worst(codes);
}

/** The message of an error and its exit code; a defect of moecast keeps the place it happened at. */
function explain(error: unknown): [string, ExitCode] {
  if (error instanceof MoecastError) return [error.message, error.exitCode];
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`internal error, please report it:\n${text}`, exitCodes.internal];
}

/** What is wrong with inputs, where an error says so place by place. */
const problemsOf = (error: unknown): readonly Problem[] =>
  error instanceof InvalidInputError || error instanceof InfeasibleError ? error.problems : [];

function outcome(forecast: Forecast, thresholds: boolean): ExitCode {
  const regressed = forecast.baseline?.some((delta) => delta.failed) === true;
  return thresholds && (!forecast.passed || regressed) ? exitCodes.sloFailed : exitCodes.ok;
}

/** Most serious first; a run of several scenarios ends with the most serious outcome among them. */
const severity: readonly ExitCode[] = [
  exitCodes.interrupted,
  exitCodes.terminated,
  exitCodes.internal,
  exitCodes.usage,
  exitCodes.invalidInput,
  exitCodes.infeasible,
  exitCodes.solverLimit,
  exitCodes.sloFailed,
];

function worst(codes: readonly ExitCode[]): ExitCode {
  return severity.find((code) => codes.includes(code)) ?? exitCodes.ok;
}

async function readObserved(io: Io, files: readonly string[], options: RunOptions): Promise<Observation | null> {
  const { observed: file, acceptDifferences = false } = options;
  if (file === undefined) {
    if (acceptDifferences) throw new UsageError("run: --accept-differences goes with --observed");
    return null;
  }
  if (files.length !== 1)
    throw new UsageError("--observed holds measurements of one deployment: give the one scenario that describes it");
  const { observationOf } = await import("../calibrate/observed/observe-deployment.ts");
  return observationOf(await io.readText(file), file, acceptDifferences);
}

function against(forecast: Forecast, before: Forecast, { maxRegress }: RunOptions, io: Io): Forecast {
  if (!forecast.interrupted) return comparedWith(before, forecast, resolvedLimits(maxRegress));
  io.err("interrupted: not compared with the baseline\n");
  return forecast;
}
