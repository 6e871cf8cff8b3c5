import { type ExitCode, exitCodes } from "../core/errors.ts";
import { type Axis, axes } from "../offload/compare/axes.ts";
import { compareOffload } from "../offload/compare/compare-offload.ts";
import { flagsOf, shellText } from "../offload/flags/flags-of.ts";
import { offloadComparisonPage } from "../report/offload-comparison.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { resolveScenario } from "../resolve/resolve-scenario.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, processIo } from "./io.ts";
import { policiesWith } from "./plugins.ts";
import { progressLine } from "./progress.ts";
import { paramsFor } from "./scenario-params.ts";
import { oneOf, splitPair } from "./words.ts";

export interface OffloadOptions {
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly vary?: readonly string[];
  readonly requests?: number;
  readonly repeats?: number;
  readonly lossy?: boolean;
  readonly flags?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const defaultRequests = 24;
const defaultRepeats = 3;

/** Compares the offload of a scenario with others under load and prints what to do. */
export async function offload(file: string, options: OffloadOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const vary = options.vary?.map((word): Axis => oneOf(word, axes, "--vary"));
  const params = Object.fromEntries((options.param ?? []).map((text) => splitPair(text, "--param NAME=value")));
  const watch = watchInterrupts(io);
  const progress = options.quiet === true ? null : progressLine(io, file, "candidates");
  try {
    const policies = await policiesWith(options.plugin);
    const scenario = parseScenario(await io.readText(file), file, {
      ...(options.set === undefined ? {} : { settings: options.set }),
      params: await paramsFor(file, params, io),
      policies,
    });
    if (options.flags === true) {
      const { config } = await resolveScenario(scenario, fileReader(io), null, watch.signal);
      io.out(`${shellText(flagsOf(config))}\n`);
      return exitCodes.ok;
    }
    const comparison = await compareOffload(
      scenario,
      {
        requests: options.requests ?? defaultRequests,
        repeats: options.repeats ?? defaultRepeats,
        ...(vary === undefined ? {} : { axes: vary }),
        lossy: options.lossy === true,
      },
      { ...fileReader(io), signal: watch.signal, ...(progress === null ? {} : { onProgress: progress.update }) },
    );
    progress?.clear();
    if (options.json === true) io.out(`${JSON.stringify(comparison, null, 2)}\n`);
    else io.out(terminalPage(offloadComparisonPage(comparison), io.style, io.width));
    return watch.signal.aborted ? watch.code() : exitCodes.ok;
  } catch (error) {
    progress?.clear();
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
  }
}
