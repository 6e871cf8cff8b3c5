import { type ExitCode, exitCodes, SolverLimitError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { comparePlacement } from "../place/compare-placement.ts";
import { toPhysicalToLogical } from "../policy/placement/placement-measures.ts";
import { type PlacementName, placements } from "../policy/placement/placements.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { placementComparisonPage } from "../report/placement-comparison.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, processIo } from "./io.ts";
import { progressLine } from "./progress.ts";
import { paramsFor } from "./scenario-params.ts";
import { withSolvers } from "./solving.ts";
import { oneOf, splitPair } from "./words.ts";

export interface PlaceCliOptions {
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly policy?: readonly string[];
  readonly redundant?: readonly number[];
  readonly fit?: string;
  readonly test?: string;
  readonly batch?: number;
  readonly requests?: number;
  readonly repeats?: number;
  readonly all?: boolean;
  readonly solver?: string;
  /** Percent. */
  readonly gap?: number;
  /** ns */
  readonly timeLimit?: number;
  readonly out?: string;
  readonly format: string;
  readonly mkdir?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const defaultRequests = 60;
const defaultRepeats = 3;

/** Compares placements for a scenario, prints what to do and writes the map, where one is asked for. */
export async function place(file: string, options: PlaceCliOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const names = Object.keys(placements) as PlacementName[];
  const policies = options.policy?.map((word) => oneOf(word, names, "--policy"));
  const params = Object.fromEntries((options.param ?? []).map((text) => splitPair(text, "--param NAME=value")));
  const { out, mkdir, redundant, fit, test, batch, all, solver, gap, timeLimit } = options;
  if (out !== undefined) await prepareOutput(out, mkdir === undefined ? {} : { mkdir });
  const watch = watchInterrupts(io);
  const progress = options.quiet === true ? null : progressLine(io, file, "maps and runs");
  try {
    const scenario = parseScenario(await io.readText(file), file, {
      ...(options.set === undefined ? {} : { settings: options.set }),
      params: await paramsFor(file, params, io),
    });
    const {
      comparison,
      placements: maps,
      limited,
    } = await withSolvers(io, file, { signal: watch.signal, quiet: options.quiet === true }, (solve) =>
      comparePlacement(
        scenario,
        {
          requests: options.requests ?? defaultRequests,
          repeats: options.repeats ?? defaultRepeats,
          ...(policies === undefined ? {} : { policies }),
          ...(redundant === undefined ? {} : { redundant }),
          ...(fit === undefined ? {} : { fit }),
          ...(test === undefined ? {} : { test }),
          ...(batch === undefined ? {} : { batch }),
          ...(all === undefined ? {} : { all }),
          ...(solver === undefined ? {} : { solver }),
          ...(gap === undefined ? {} : { gap: gap / 100 }),
          ...(timeLimit === undefined ? {} : { timeLimitS: timeLimit / 1e9 }),
        },
        {
          ...fileReader(io),
          solve,
          signal: watch.signal,
          ...(progress === null ? {} : { onProgress: progress.update }),
        },
      ),
    );
    progress?.clear();
    if (options.json === true) io.out(jsonDocument(comparison));
    else io.out(terminalPage(placementComparisonPage(comparison), io.style, io.width));
    if (out !== undefined) {
      const { policy, redundant: copies } = comparison.verdict;
      const chosen = comparison.maps.findIndex((map) => map.policy === policy && map.redundant === copies);
      const map = { physical_to_logical_map: toPhysicalToLogical(maps[chosen]!) };
      await io.writeText(out, `${JSON.stringify(map)}\n`);
      io.err(`${oneLine(out)}: the map of ${policy}${copies > 0 ? `, ${copies} redundant experts a layer` : ""}\n`);
    }
    if (watch.signal.aborted) return watch.code();
    if (limited) throw new SolverLimitError("a solver found no map within its limit: see what was not compared");
    return exitCodes.ok;
  } catch (error) {
    progress?.clear();
    if (watch.ended(error)) return watch.code();
    throw error;
  } finally {
    watch.stop();
  }
}
