import { stat } from "node:fs/promises";
import { type ExitCode, exitCodes, OutputError, UsageError } from "../core/errors.ts";
import { oneLine } from "../core/printable.ts";
import { outputIdentity } from "../files/output-place.ts";
import { type OutputNeeds, prepareOutput } from "../files/prepare-output.ts";
import type { RunDetails } from "../forecast/details/run-details.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { type ExportFormat, exportFormats } from "../report/export-formats.ts";
import type { AnyExporter, ScenarioFailure } from "../report/exporter.ts";
import { exporters } from "../report/exporters.ts";
import { gzipped } from "./gzipped.ts";
import type { Io } from "./io.ts";
import { oneOf, splitPair } from "./words.ts";

/** A file that `--export` asks for. */
export interface ExportTarget<Format extends string = ExportFormat> {
  readonly format: Format;
  readonly path: string;
}

/** Reads `FORMAT=PATH` words, and refuses before anything is simulated what could not be written afterwards. */
export const exportTargets = (texts: readonly string[], needs: OutputNeeds): Promise<ExportTarget[]> =>
  targetsAmong(texts, Object.keys(exportFormats) as ExportFormat[], needs);

/** What targets are made from beside forecasts: what happened in the runs, and when it did. */
export const needs = (targets: readonly ExportTarget[]): { readonly details: boolean; readonly timeline: boolean } => ({
  details: targets.some(({ format }) => exporterOf(format).needsDetails === true),
  timeline: targets.some(({ format }) => exporterOf(format).needsTimeline === true),
});

const exporterOf = (format: ExportFormat): AnyExporter => exporters[format];

/** The same for any list of formats. */
export async function targetsAmong<Format extends string>(
  texts: readonly string[],
  formats: readonly Format[],
  needs: OutputNeeds,
): Promise<ExportTarget<Format>[]> {
  const targets = new Map<string, ExportTarget<Format>>();
  for (const text of texts) {
    const [word, path] = splitPair(text, "--export FORMAT=PATH");
    const format = oneOf(word, formats, "--export");
    await prepareOutput(path, needs);
    const identity = await outputIdentity(path);
    const same = targets.get(identity);
    if (same !== undefined)
      throw new UsageError(
        `--export: ${same.path} and ${path} are the same file; every export needs a file of its own`,
      );
    targets.set(identity, { format, path });
  }
  return [...targets.values()];
}

/**
 * Writes every export and returns the exit code. A format without a place for scenarios that gave no forecast is left out
 * when there is no other, and stderr says so.
 */
export function writeExports(
  io: Io,
  targets: readonly ExportTarget[],
  forecasts: readonly Forecast[],
  failures: readonly ScenarioFailure[],
  details: readonly RunDetails[],
): Promise<ExitCode> {
  const able = targets.filter(({ format }) => forecasts.length > 0 || exporterOf(format).reportsFailures);
  for (const target of targets)
    if (!able.includes(target)) io.err(`no forecast: ${oneLine(target.path)} is not written\n`);
  return writeAll(io, able, async ({ format, path }) => {
    const exporter = exporterOf(format);
    const presentBytes = exporter.appends ? ((await stat(path).catch(() => null))?.size ?? 0) : 0;
    const rendered = await exporter.render(forecasts, { failures, details, presentBytes });
    if (typeof rendered !== "string") await io.writeBytes(path, rendered);
    else if (exporter.needsTimeline === true && path.endsWith(".gz"))
      await io.writeBytes(path, await gzipped(rendered));
    else if (exporter.appends) await io.appendText(path, rendered);
    else await io.writeText(path, rendered);
  });
}

/** Writes every target, also when one of them fails; stderr names each that failed, and then those that were written. */
export async function writeAll<Target extends { readonly path: string }>(
  io: Io,
  targets: readonly Target[],
  write: (target: Target) => Promise<void>,
): Promise<ExitCode> {
  const written: string[] = [];
  const failures: unknown[] = [];
  for (const target of targets)
    try {
      await write(target);
      written.push(oneLine(target.path));
    } catch (error) {
      failures.push(error);
      if (error instanceof OutputError) io.err(`${oneLine(error.message)}\n`);
    }
  if (failures.length === 0) return exitCodes.ok;
  io.err(`written: ${written.join(", ") || "nothing"}\n`);
  const defect = failures.find((error) => !(error instanceof OutputError));
  if (defect !== undefined) throw defect;
  return exitCodes.usage;
}
