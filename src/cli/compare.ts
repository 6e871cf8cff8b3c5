import { type ExitCode, exitCodes, refuse, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { limitNames } from "../forecast/baseline.ts";
import { compareResults } from "../forecast/compare/compare-results.ts";
import type { Comparison } from "../forecast/compare/comparison.ts";
import type { ResultFile } from "../forecast/compare/match-scenarios.ts";
import { readForecasts } from "../forecast/read-forecast.ts";
import { comparisonPages, unmatchedLines } from "../report/comparison-page.ts";
import { markdownText } from "../report/markdown-text.ts";
import { markdownPage } from "../report/page-markdown.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { plainStyle } from "../report/text-table.ts";
import { type Io, processIo } from "./io.ts";
import { type GivenLimits, resolvedLimits } from "./regression-limits.ts";
import { oneOf } from "./words.ts";

/** Writes a comparison in one format. */
type Render = (comparison: Comparison, io: Pick<Io, "style" | "width">) => string;

const formats = {
  table: (comparison, { style, width }) => {
    const pages = comparisonPages(comparison).map((page) => terminalPage(page, style, width));
    const others = unmatchedLines(comparison).map(oneLine);
    return [...pages, ...(others.length === 0 ? [] : [`${others.join("\n")}\n`])].join("\n");
  },
  markdown: (comparison) =>
    `${[...comparisonPages(comparison).map(markdownPage), ...unmatchedLines(comparison).map((line) => `${markdownText(line)}\n`)].join("\n").trimEnd()}\n`,
  json: (comparison) => jsonDocument(comparison),
} as const satisfies Record<string, Render>;

export interface CompareOptions {
  readonly metric?: readonly string[];
  readonly maxRegress?: GivenLimits;
  readonly format: keyof typeof formats;
  readonly json?: boolean;
  readonly output?: string;
  readonly mkdir?: boolean;
}

/** Compares results with the first of them, prints or writes what came out, and returns the exit code. */
export async function compare(paths: readonly string[], options: CompareOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const { maxRegress, output, json = false } = options;
  for (const name of options.metric ?? []) oneOf(name, limitNames, "--metric");
  if (json && options.format === "markdown") throw new UsageError("compare: give --json or --format markdown");
  if (output !== undefined) await prepareOutput(output, options);
  const files: ResultFile[] = [];
  for (const file of paths) files.push({ file, forecasts: readForecasts(await io.readText(file), file).forecasts });
  if (maxRegress !== undefined) refuseParts(files);
  const comparison = compareResults(files, {
    only: options.metric ?? null,
    limits: maxRegress === undefined ? null : resolvedLimits(maxRegress),
  });
  const render: Render = formats[json ? "json" : options.format];
  if (output === undefined) io.out(render(comparison, io));
  else await io.writeText(output, render(comparison, { style: plainStyle }));
  return comparison.regressed ? exitCodes.sloFailed : exitCodes.ok;
}

/** The part of a run that was interrupted neither passes nor fails. */
function refuseParts(files: readonly ResultFile[]): void {
  for (const { file, forecasts } of files)
    for (const [index, { interrupted }] of forecasts.entries())
      if (interrupted) {
        const at = forecasts.length === 1 ? "interrupted" : `[${index}].interrupted`;
        refuse({ file, at, expected: "results of whole runs, with --max-regress", found: true });
      }
}
