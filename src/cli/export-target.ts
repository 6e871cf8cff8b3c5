import { stat } from "node:fs/promises";
import { UsageError } from "../core/errors.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { ScenarioFailure } from "../report/exporter.ts";
import { type ExportFormat, exporters } from "../report/exporters.ts";
import { type Io, prepareOutput } from "./io.ts";
import { oneOf, splitPair } from "./words.ts";

/** A file that `--export` asks for. */
export interface ExportTarget<Format extends string = ExportFormat> {
  readonly format: Format;
  readonly path: string;
}

/** Reads `FORMAT=PATH` words, and refuses before anything is simulated what could not be written afterwards. */
export const exportTargets = (texts: readonly string[]): Promise<ExportTarget[]> =>
  targetsAmong(texts, Object.keys(exporters) as ExportFormat[]);

/** The same for any list of formats. */
export async function targetsAmong<Format extends string>(
  texts: readonly string[],
  formats: readonly Format[],
): Promise<ExportTarget<Format>[]> {
  const targets: ExportTarget<Format>[] = [];
  for (const text of texts) {
    const [word, path] = splitPair(text, "--export FORMAT=PATH");
    const format = oneOf(word, formats, "--export");
    if (targets.some((target) => target.path === path))
      throw new UsageError(`--export: ${path} is named twice; every export needs a file of its own`);
    await prepareOutput(path);
    targets.push({ format, path });
  }
  return targets;
}

/**
 * Writes every export, also when one of them fails; throws one UsageError with all that failed. A format without a place
 * for scenarios that gave no forecast is left out when there is no other, and stderr says so.
 */
export async function writeExports(
  io: Io,
  targets: readonly ExportTarget[],
  forecasts: readonly Forecast[],
  failures: readonly ScenarioFailure[],
): Promise<void> {
  await writeAll(targets, async ({ format, path }) => {
    const exporter = exporters[format];
    if (forecasts.length === 0 && !exporter.reportsFailures) {
      io.err(`no forecast: ${path} is not written\n`);
      return;
    }
    if (exporter.appends) {
      const presentBytes = (await stat(path).catch(() => null))?.size ?? 0;
      await io.appendText(path, exporter.render(forecasts, { failures, presentBytes }));
    } else await io.writeText(path, exporter.render(forecasts, { failures }));
  });
}

/** Writes every target, also when one of them fails; throws one UsageError with all that failed. */
export async function writeAll<Target>(
  targets: readonly Target[],
  write: (target: Target) => Promise<void>,
): Promise<void> {
  const refused: string[] = [];
  for (const target of targets)
    try {
      await write(target);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refused.push(error.message);
    }
  if (refused.length > 0) throw new UsageError(refused.join("\n"));
}
