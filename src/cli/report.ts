import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { withoutPage } from "../forecast/embedded-results.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { readForecasts } from "../forecast/read-forecast.ts";
import { isPlan, parsePlanJson, planOf } from "../plan/answer/read-plan.ts";
import { listResults } from "../plan/sweep/list-results.ts";
import { forecastsReport } from "../report/html/forecasts-report.ts";
import { planReport } from "../report/html/plan-report.ts";
import { sweepReport } from "../report/html/sweep-report.ts";
import { type Io, processIo } from "./io.ts";

export interface ReportOptions {
  readonly output: string;
  readonly mkdir?: boolean;
}

/** Configurations of a sweep that a page lists. */
const listedMax = 300;

/** Reads results and writes the page that shows them. */
export async function report(files: readonly string[], options: ReportOptions): Promise<ExitCode> {
  const io = processIo(false);
  await prepareOutput(options.output, options);
  await io.writeText(options.output, await pageOf(io, files));
  return exitCodes.ok;
}

async function pageOf(io: Io, files: readonly string[]): Promise<string> {
  const alone = (what: string): void => {
    if (files.length > 1) throw new UsageError(`report: ${what} stands on a page of its own: give it alone`);
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
  return forecastsReport(forecasts);
}
