import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { withoutPage } from "../forecast/embedded-results.ts";
import { explanationOf } from "../forecast/explain/explain-scenario.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { readForecasts } from "../forecast/read-forecast.ts";
import { sensitivityOfRun } from "../forecast/sensitivity/sensitivity-of.ts";
import { isPlan, parsePlanJson, planOf } from "../plan/answer/read-plan.ts";
import { listResults } from "../plan/sweep/list-results.ts";
import { forecastReport } from "../report/html/forecast-report.ts";
import { forecastsReport } from "../report/html/forecasts-report.ts";
import { planReport } from "../report/html/plan-report.ts";
import { sweepReport } from "../report/html/sweep-report.ts";
import { explainedFile } from "./explained-file.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, type Io, processIo } from "./io.ts";
import { type ProgressLine, progressLine } from "./progress.ts";
import { runAgain } from "./run-again.ts";
import { withSolvers } from "./solving.ts";
import { splitPair } from "./words.ts";

export interface ReportOptions {
  readonly output: string;
  readonly mkdir?: boolean;
  readonly explain?: boolean;
  readonly sensitivity?: boolean;
  readonly scenario?: string;
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly acceptDifferences?: boolean;
  readonly quiet?: boolean;
}

/** Configurations of a sweep that a page lists. */
const listedMax = 300;

/** Reads results and writes the page that shows them. */
export async function report(files: readonly string[], options: ReportOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  await prepareOutput(options.output, options);
  const watch = watchInterrupts(io);
  try {
    const page = await pageOf(io, files, options, watch.signal);
    await io.writeText(options.output, page);
    return exitCodes.ok;
  } catch (error) {
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
  }
}

async function pageOf(io: Io, files: readonly string[], options: ReportOptions, signal: AbortSignal): Promise<string> {
  const runsAgain = options.explain === true || options.sensitivity === true;
  const alone = (what: string): void => {
    if (files.length > 1) throw new UsageError(`report: ${what} stands on a page of its own: give it alone`);
    if (runsAgain) throw new UsageError(`report: ${what} is not run again: --explain and --sensitivity are of one run`);
  };
  const forecasts: Forecast[] = [];
  for (const file of files) {
    if ((await io.whatIs(file)) === "folder") {
      alone("a sweep");
      return sweepReport(await listResults(file, { top: listedMax }));
    }
    const text = withoutPage(await io.readText(file, inputBytesMax.plan));
    const json = parsePlanJson(text, file);
    if (isPlan(json)) {
      alone("a plan");
      return planReport(planOf(json, file));
    }
    forecasts.push(...readForecasts(text, file).forecasts);
  }
  if (!runsAgain) return forecastsReport(forecasts);
  const [file] = files;
  if (forecasts.length !== 1 || file === undefined)
    throw new UsageError("report: --explain and --sensitivity run one result again: give one result of one scenario");
  return runAgainPage(io, file, forecasts[0]!, options, signal);
}

/** The page of a result with what further runs of its scenario tell. */
async function runAgainPage(
  io: Io,
  file: string,
  forecast: Forecast,
  { scenario, param, plugin, acceptDifferences = false, explain, sensitivity, quiet }: ReportOptions,
  signal: AbortSignal,
): Promise<string> {
  const explained = await explainedFile(io, file, {
    ...(scenario === undefined ? {} : { scenario }),
    settings: [],
    params: Object.fromEntries((param ?? []).map((text) => splitPair(text, "--param NAME=value"))),
    plugins: plugin ?? [],
    acceptDifferences,
  });
  let progress: ProgressLine | null = null;
  const follow = (what: string): void => {
    progress?.clear();
    progress = quiet === true ? null : progressLine(io, `${explained.file}, ${what}`);
  };
  const solving = { signal, quiet: quiet === true };
  try {
    return await withSolvers(io, explained.file, solving, async (solve) => {
      const onProgress = (done: number, total: number) => progress?.update(done, total);
      const deps = { ...fileReader(io), solve, signal, onProgress };
      follow("run");
      const finished = await runAgain(explained, deps, acceptDifferences);
      const { file: rerun, settings } = explained;
      follow("explaining");
      const explanation =
        explain === true
          ? await explanationOf(finished, { ideals: true }, { ...deps, onTrial: (label) => follow(label) })
          : null;
      follow("turning inputs");
      const moved = sensitivity === true ? await sensitivityOfRun(finished, deps) : null;
      return forecastReport(forecast, {
        ...(explanation === null ? {} : { explained: { explanation, rerun, settings } }),
        ...(moved === null ? {} : { sensitivity: moved }),
      });
    });
  } finally {
    (progress as ProgressLine | null)?.clear();
  }
}
