import { explanationOf } from "../forecast/explain/explain-scenario.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { sensitivityOfRun } from "../forecast/sensitivity/sensitivity-of.ts";
import { forecastReport } from "../report/html/forecast-report.ts";
import { explainedFile } from "./explained-file.ts";
import { fileReader, type Io } from "./io.ts";
import { type ProgressLine, progressLine } from "./progress.ts";
import { runAgain } from "./run-again.ts";
import { withSolvers } from "./solving.ts";
import { splitPair } from "./words.ts";

/** What the scenario of a result is found by, and what is asked of its further runs. */
export interface RunAgainOptions {
  readonly explain?: boolean;
  readonly sensitivity?: boolean;
  readonly scenario?: string;
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly acceptDifferences?: boolean;
  readonly quiet?: boolean;
}

/** The page of a result with what further runs of its scenario tell. */
export async function runAgainPage(
  io: Io,
  file: string,
  forecast: Forecast,
  { scenario, param, plugin, acceptDifferences = false, explain, sensitivity, quiet }: RunAgainOptions,
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
