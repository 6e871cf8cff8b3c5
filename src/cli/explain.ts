import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { explanationOf } from "../forecast/explain/explain-scenario.ts";
import type { Explanation } from "../forecast/explain/explanation.ts";
import { type PathMetric, pathMetrics } from "../forecast/explain/path-metrics.ts";
import { reproductionOf } from "../forecast/explain/reproduction.ts";
import { explanationPage } from "../report/explanation-page.ts";
import { markdownPage } from "../report/page-markdown.ts";
import { terminalPage } from "../report/page-terminal.ts";
import type { SolveRunner } from "../solver/solver.ts";
import { type ExplainedFile, explainedFile } from "./explained-file.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, type Io, processIo } from "./io.ts";
import { type ProgressLine, progressLine } from "./progress.ts";
import { runAgain } from "./run-again.ts";
import { withSolvers } from "./solving.ts";
import { oneOf, splitPair } from "./words.ts";

export interface ExplainCliOptions {
  readonly scenario?: string;
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly metric?: string;
  readonly p?: number;
  readonly request?: readonly number[];
  readonly requests?: number;
  readonly ideals: boolean;
  readonly acceptDifferences?: boolean;
  readonly json?: boolean;
  readonly markdown?: string;
  readonly mkdir?: boolean;
  readonly quiet?: boolean;
}

/** Explains a result or a scenario, and prints. An interrupt leaves nothing to explain, or what was found before the trials. */
export async function explain(file: string, options: ExplainCliOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const metric = options.metric === undefined ? undefined : oneOf(options.metric, pathMetrics, "--metric");
  if (options.markdown !== undefined) await prepareOutput(options.markdown, { mkdir: options.mkdir === true });
  else if (options.mkdir === true) throw new UsageError("explain: --mkdir needs --markdown");
  const params = Object.fromEntries((options.param ?? []).map((text) => splitPair(text, "--param NAME=value")));
  const explained = await explainedFile(io, file, {
    ...(options.scenario === undefined ? {} : { scenario: options.scenario }),
    settings: options.set ?? [],
    params,
    plugins: options.plugin ?? [],
    acceptDifferences: options.acceptDifferences === true,
  });
  const watch = watchInterrupts(io);
  const { signal } = watch;
  const quiet = options.quiet === true;
  try {
    const explanation = await withSolvers(io, explained.file, { signal, quiet }, (solve) =>
      explanationFor(io, explained, metric, options, { signal, solve, quiet }),
    );
    const page = explanationPage(explanation, explained.file, explained.settings);
    io.out(options.json === true ? jsonDocument(explanation) : terminalPage(page, io.style, io.width));
    if (options.markdown !== undefined) await io.writeText(options.markdown, markdownPage(page));
    return signal.aborted ? watch.code() : exitCodes.ok;
  } catch (error) {
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
  }
}

async function explanationFor(
  io: Io,
  explained: ExplainedFile,
  metric: PathMetric | undefined,
  options: ExplainCliOptions,
  { signal, solve, quiet }: { readonly signal: AbortSignal; readonly solve: SolveRunner; readonly quiet: boolean },
): Promise<Explanation> {
  const { file, result } = explained;
  let progress: ProgressLine | null = null;
  const follow = (what: string) => {
    progress?.clear();
    progress = quiet ? null : progressLine(io, `${file}, ${what}`);
  };
  const deps = {
    ...fileReader(io),
    solve,
    signal,
    onProgress: (done: number, total: number) => progress?.update(done, total),
  };
  try {
    follow("run");
    const finished = await runAgain(explained, deps, options.acceptDifferences === true);
    follow("following requests");
    const explanation = await explanationOf(
      finished,
      {
        ideals: options.ideals,
        ...(metric === undefined ? {} : { metric }),
        ...(options.p === undefined ? {} : { p: options.p }),
        ...(options.request === undefined ? {} : { requests: options.request }),
        ...(options.requests === undefined ? {} : { trialRequests: options.requests }),
      },
      { ...deps, onTrial: (label) => follow(label) },
    );
    // What is laid over the result makes another run.
    const again = result !== null && (options.set ?? []).length === 0;
    return again ? { ...explanation, reproduction: reproductionOf(result, finished.forecast) } : explanation;
  } finally {
    (progress as ProgressLine | null)?.clear();
  }
}
