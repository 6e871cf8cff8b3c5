import { type ExitCode, exitCodes } from "../core/errors.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { type ValidationFormat, validationExporters } from "../report/validation-exporters.ts";
import { limitExceeded } from "./error-limit.ts";
import { targetsAmong, writeAll } from "./export-target.ts";
import { watchInterrupts } from "./interrupt.ts";
import { processIo } from "./io.ts";
import { modeOf } from "./validate-modes.ts";
import type { ValidateOptions } from "./validate-options.ts";

/** Compares forecasts with what was measured, prints and exports the errors, and holds them against `--max-error`. */
export async function validate(options: ValidateOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const compare = modeOf(options);
  const formats = Object.keys(validationExporters) as ValidationFormat[];
  const targets = await targetsAmong(options.export ?? [], formats, options);
  const watch = watchInterrupts(io);
  try {
    const { report, errors, broken } = await compare(options, { io, signal: watch.signal });
    if (options.json === true) io.out(validationExporters.json.render(report));
    else io.out(terminalPage(report.page, io.style, io.width));
    const written = await writeAll(io, targets, ({ format, path }) =>
      io.writeText(path, validationExporters[format].render(report)),
    );
    if (watch.signal.aborted) return watch.code();
    if (written !== exitCodes.ok) return written;
    const exceeded = broken ?? (options.maxError === undefined ? null : limitExceeded(options.maxError, errors));
    if (exceeded === null) return exitCodes.ok;
    io.err(`${exceeded}\n`);
    return exitCodes.sloFailed;
  } catch (error) {
    // Work that could not keep a part of its result says so by the signal's own error.
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
  }
}
