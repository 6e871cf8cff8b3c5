import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { withoutPage } from "../forecast/embedded-results.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { readForecasts } from "../forecast/read-forecast.ts";
import { isPlan, parsePlanJson, planOf } from "../plan/answer/read-plan.ts";
import { forecastsReport } from "../report/html/forecasts-report.ts";
import { watchInterrupts } from "./interrupt.ts";
import { type Io, processIo } from "./io.ts";
import type { RunAgainOptions } from "./report-again.ts";

export interface ReportOptions extends RunAgainOptions {
  readonly output: string;
  readonly mkdir?: boolean;
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
      const { listResults } = await import("../plan/sweep/list-results.ts");
      const { sweepReport } = await import("../report/html/sweep-report.ts");
      return sweepReport(await listResults(file, { top: listedMax }));
    }
    const text = withoutPage(await io.readText(file, inputBytesMax.plan));
    const json = parsePlanJson(text, file);
    if (isPlan(json)) {
      alone("a plan");
      const { planReport } = await import("../report/html/plan-report.ts");
      return planReport(planOf(json, file));
    }
    forecasts.push(...readForecasts(text, file).forecasts);
  }
  if (!runsAgain) return forecastsReport(forecasts);
  const [file] = files;
  if (forecasts.length !== 1 || file === undefined)
    throw new UsageError("report: --explain and --sensitivity run one result again: give one result of one scenario");
  const { runAgainPage } = await import("./report-again.ts");
  return runAgainPage(io, file, forecasts[0]!, options, signal);
}
