import { type ExitCode, exitCodes, MoecastError, printable, UsageError } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { formatPercent } from "../core/units.ts";
import { compareForecasts } from "../forecast/baseline.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { forecastScenario } from "../forecast/forecast-scenario.ts";
import { readForecast } from "../forecast/read-forecast.ts";
import { type ExportFormat, exporters } from "../report/exporters.ts";
import { type SummaryMode, terminalSummary } from "../report/terminal.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { type Io, processIo } from "./io.ts";

export interface RunOptions {
  readonly set: readonly string[];
  readonly param: readonly string[];
  readonly seed?: number;
  readonly json?: boolean;
  readonly summary: SummaryMode;
  readonly export: readonly string[];
  readonly baseline?: string;
  readonly maxRegress: number;
  readonly thresholds: boolean;
  readonly quiet?: boolean;
}

/** Simulates every scenario, prints and exports what came out, and returns the exit code of the worst outcome. */
export async function run(files: readonly string[], options: RunOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const exports = options.export.map(parseExport);
  const params = Object.fromEntries(options.param.map((text) => splitPair(text, "--param NAME=value")));
  if (options.baseline !== undefined && files.length !== 1)
    throw new UsageError("--baseline compares one scenario with one earlier forecast: give one scenario");
  const baseline =
    options.baseline === undefined ? null : readForecast(await io.readText(options.baseline), options.baseline);

  const stop = new AbortController();
  const onInterrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    io.err("\ninterrupted: finishing with what there is (again to quit at once)\n");
    stop.abort();
  };
  process.on("SIGINT", onInterrupt);
  const outcomes: ExitCode[] = [];
  const forecasts: Forecast[] = [];
  try {
    for (const file of files) {
      if (stop.signal.aborted) break;
      try {
        const settings = options.seed === undefined ? options.set : [...options.set, `seed=${options.seed}`];
        const scenario = parseScenario(await io.readText(file), file, { settings, params });
        const onProgress = options.quiet === true ? undefined : progressLine(io, file);
        const plain = await forecastScenario(scenario, {
          readText: (path) => io.readText(path),
          signal: stop.signal,
          ...(onProgress === undefined ? {} : { onProgress }),
        });
        if (io.progress && options.quiet !== true) io.err("\r\u001b[K");
        const forecast = baseline === null ? plain : withBaseline(plain, baseline, options.maxRegress);
        forecasts.push(forecast);
        if (options.json !== true) io.out(terminalSummary(forecast, io.style, options.summary));
        outcomes.push(outcome(forecast, options.thresholds));
      } catch (error) {
        if (!(error instanceof MoecastError)) throw error;
        // Other scenarios still run; this one's message names what is wrong with it.
        io.err(`${printable(error.message)}\n`);
        outcomes.push(error.exitCode);
      }
    }
  } finally {
    process.off("SIGINT", onInterrupt);
  }
  if (options.json === true && forecasts.length > 0) io.out(exporters.json.render(forecasts));
  if (forecasts.length > 0) for (const target of exports) await write(io, target, forecasts);
  return stop.signal.aborted ? exitCodes.interrupted : worst(outcomes);
}

function outcome(forecast: Forecast, thresholds: boolean): ExitCode {
  if (forecast.interrupted) return exitCodes.interrupted;
  const regressed = forecast.baseline?.some((delta) => delta.failed) === true;
  return thresholds && (!forecast.passed || regressed) ? exitCodes.sloFailed : exitCodes.ok;
}

/** Most serious first; a run of several scenarios ends with the most serious outcome among them. */
const severity: readonly ExitCode[] = [
  exitCodes.internal,
  exitCodes.usage,
  exitCodes.invalidInput,
  exitCodes.infeasible,
  exitCodes.solverLimit,
  exitCodes.interrupted,
  exitCodes.sloFailed,
];

function worst(outcomes: readonly ExitCode[]): ExitCode {
  return severity.find((code) => outcomes.includes(code)) ?? exitCodes.ok;
}

function withBaseline(forecast: Forecast, before: Forecast, maxRegressPercent: number): Forecast {
  return { ...forecast, baseline: compareForecasts(before, forecast, maxRegressPercent) };
}

interface ExportTarget {
  readonly format: ExportFormat;
  readonly path: string;
}

function parseExport(text: string): ExportTarget {
  const [format, path] = splitPair(text, "--export FORMAT=PATH");
  if (format in exporters) return { format: format as ExportFormat, path };
  const near = closest(format, Object.keys(exporters));
  throw new UsageError(
    `--export: unknown format "${format}"${near === null ? "" : `, did you mean "${near}"?`} ` +
      `(one of ${Object.keys(exporters).join(", ")})`,
  );
}

function splitPair(text: string, shape: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0 || at === text.length - 1) throw new UsageError(`expected ${shape}, found "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A step summary is appended to, as GitHub expects; every other file is replaced. */
async function write(io: Io, target: ExportTarget, forecasts: readonly Forecast[]): Promise<void> {
  const text = exporters[target.format].render(forecasts);
  await (target.format === "github" ? io.appendText(target.path, text) : io.writeText(target.path, text));
}

/** A line on stderr: redrawn on a terminal, otherwise nothing until the run is long enough to wonder. */
function progressLine(io: Io, file: string): (done: number, total: number) => void {
  let shown = -1;
  let next = Date.now() + 10_000;
  return (done, total) => {
    const share = total === 0 ? 1 : done / total;
    const percent = Math.floor(share * 100);
    if (io.progress) {
      if (percent === shown) return;
      shown = percent;
      io.err(`\r\u001b[K${printable(file)}: ${formatPercent(share, 0)} of ${total} requests`);
    } else if (Date.now() > next) {
      next = Date.now() + 10_000;
      io.err(`${printable(file)}: ${formatPercent(share, 0)} of ${total} requests\n`);
    }
  };
}
