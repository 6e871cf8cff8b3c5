import { type ExitCode, exitCodes, SolverLimitError, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import type { ExpertMapFormatName } from "../engine/expert-maps/expert-map-formats.ts";
import { type ComparedPlacements, comparePlacement } from "../place/compare-placement.ts";
import { mapName } from "../place/verdict.ts";
import { type PlacementName, placements } from "../policy/placement/placements.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { placementComparisonPage } from "../report/placement-comparison.ts";
import { mapContext, mapOfPlacement } from "../resolve/expert-map-file.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { moeShape } from "../sim/mapping.ts";
import { mapOutputFormat, writeMap } from "./expert-map-output.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, type Io, processIo } from "./io.ts";
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
  readonly format?: string;
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
  const { out, format, mkdir = false, redundant, fit, test, batch, all, solver, gap, timeLimit } = options;
  if (out === undefined && (format !== undefined || mkdir))
    throw new UsageError(`place: ${format === undefined ? "--mkdir" : "--format"} needs -o`);
  const written =
    out === undefined
      ? null
      : {
          file: out,
          format: await mapOutputFormat({ file: out, format: format ?? "sglang", option: "--format", mkdir }),
        };
  const watch = watchInterrupts(io);
  const progress = options.quiet === true ? null : progressLine(io, file, "maps and runs");
  try {
    const scenario = parseScenario(await io.readText(file), file, {
      ...(options.set === undefined ? {} : { settings: options.set }),
      params: await paramsFor(file, params, io),
    });
    const compared = await withSolvers(io, file, { signal: watch.signal, quiet: options.quiet === true }, (solve) =>
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
    const { comparison, limited } = compared;
    if (options.json === true) io.out(jsonDocument(comparison));
    else io.out(terminalPage(placementComparisonPage(comparison), io.style, io.width));
    if (written !== null) io.err(await writeChosen(io, compared, written.file, written.format));
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

/** Writes the map of a verdict. Returns what was written. */
function writeChosen(
  io: Io,
  { comparison, placements: maps, model }: ComparedPlacements,
  file: string,
  format: ExpertMapFormatName,
): Promise<string> {
  const { policy, redundant } = comparison.verdict;
  const chosen = comparison.maps.findIndex((map) => map.policy === policy && map.redundant === redundant);
  const context = mapContext(model, moeShape(model)!, file, comparison.ranks);
  return writeMap(
    io,
    mapOfPlacement(maps[chosen]!, model),
    context,
    format,
    `the map of ${mapName({ policy, redundant })}`,
  );
}
