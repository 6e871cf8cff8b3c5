import { type ExitCode, exitCodes, SolverLimitError, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import type { ExpertMapFormatName } from "../engine/expert-maps/expert-map-formats.ts";
import { compareMappings, type MappingOptions } from "../place/compare-mappings.ts";
import { type ComparedPlacements, comparePlacement, type PlaceDeps } from "../place/compare-placement.ts";
import type { PlacementComparison } from "../place/comparison.ts";
import type { MappingComparison } from "../place/mapping-comparison.ts";
import { mapName } from "../place/verdict.ts";
import { type PolicyTables, placementNames } from "../policy/policy-tables.ts";
import { mappingComparisonPage } from "../report/mapping-comparison.ts";
import type { Page } from "../report/page.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { placementComparisonPage } from "../report/placement-comparison.ts";
import { mapContext, mapOfPlacement } from "../resolve/expert-map-file.ts";
import { parseScenario, type Scenario } from "../scenario/parse-scenario.ts";
import { moeShape } from "../sim/mapping.ts";
import { mapOutputFormat, writeMap } from "./expert-map-output.ts";
import { watchInterrupts } from "./interrupt.ts";
import { fileReader, type Io, processIo } from "./io.ts";
import { policiesWith } from "./plugins.ts";
import { progressLine } from "./progress.ts";
import { paramsFor } from "./scenario-params.ts";
import { withSolvers } from "./solving.ts";
import { oneOf, splitPair } from "./words.ts";

export interface PlaceCliOptions {
  readonly set?: readonly string[];
  readonly param?: readonly string[];
  readonly plugin?: readonly string[];
  readonly policy?: readonly string[];
  readonly redundant?: readonly number[];
  readonly fit?: string;
  readonly test?: string;
  readonly batch?: number;
  readonly requests?: number;
  readonly repeats?: number;
  readonly all?: boolean;
  readonly mappings?: boolean;
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

/** Options that are of maps alone. */
const ofMaps = ["policy", "redundant", "batch", "all", "out", "format", "mkdir"] as const;

/** Compares placements, or mappings, for a scenario, and prints what to do. */
export function place(file: string, options: PlaceCliOptions, colour: boolean): Promise<ExitCode> {
  return options.mappings === true ? placeMappings(file, options, colour) : placeMaps(file, options, colour);
}

/** Compares placements, and writes the map of the verdict where one is asked for. */
async function placeMaps(file: string, options: PlaceCliOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const tables = await policiesWith(options.plugin);
  const names = [...placementNames(tables)];
  const policies = options.policy?.map((word) => oneOf(word, names, "--policy"));
  const { out, format, mkdir = false, redundant, batch, all } = options;
  if (out === undefined && (format !== undefined || mkdir))
    throw new UsageError(`place: ${format === undefined ? "--mkdir" : "--format"} needs -o`);
  const written =
    out === undefined
      ? null
      : {
          file: out,
          format: await mapOutputFormat({ file: out, format: format ?? "sglang", option: "--format", mkdir }),
        };
  return comparing(io, file, options, tables, "maps and runs", async (scenario, deps) => {
    const compared = await comparePlacement(
      scenario,
      {
        ...runOptions(options),
        ...(policies === undefined ? {} : { policies }),
        ...(redundant === undefined ? {} : { redundant }),
        ...(batch === undefined ? {} : { batch }),
        ...(all === undefined ? {} : { all }),
      },
      deps,
    );
    const { comparison, limited } = compared;
    return {
      document: comparison,
      page: placementComparisonPage(comparison),
      after: async () => {
        if (written !== null) io.err(await writeChosen(io, compared, written.file, written.format));
        if (limited && !comparison.interrupted)
          throw new SolverLimitError("a solver found no map within its limit: see what was not compared");
      },
    };
  });
}

/** Compares expert parallelism with tensor parallelism inside experts. */
async function placeMappings(file: string, options: PlaceCliOptions, colour: boolean): Promise<ExitCode> {
  const stray = ofMaps.find((key) => options[key] !== undefined);
  if (stray !== undefined) throw new UsageError(`place: --${stray} is of maps, and does not go with --mappings`);
  const tables = await policiesWith(options.plugin);
  return comparing(processIo(colour), file, options, tables, "runs", async (scenario, deps) => {
    const comparison = await compareMappings(scenario, runOptions(options), deps);
    return { document: comparison, page: mappingComparisonPage(comparison) };
  });
}

function runOptions({ requests, repeats, fit, test, solver, gap, timeLimit }: PlaceCliOptions): MappingOptions {
  return {
    requests: requests ?? defaultRequests,
    repeats: repeats ?? defaultRepeats,
    ...(fit === undefined ? {} : { fit }),
    ...(test === undefined ? {} : { test }),
    ...(solver === undefined ? {} : { solver }),
    ...(gap === undefined ? {} : { gap: gap / 100 }),
    ...(timeLimit === undefined ? {} : { timeLimitS: timeLimit / 1e9 }),
  };
}

/** What was compared: to print, and what is to be done then. */
interface Compared {
  readonly document: PlacementComparison | MappingComparison;
  readonly page: Page;
  readonly after?: () => Promise<void>;
}

/** Reads the scenario, compares with a progress line and a solver's thread, and prints. An interrupt ends it with what there is. */
async function comparing(
  io: Io,
  file: string,
  options: PlaceCliOptions,
  policies: PolicyTables,
  counted: string,
  compare: (scenario: Scenario, deps: PlaceDeps) => Promise<Compared>,
): Promise<ExitCode> {
  const params = Object.fromEntries((options.param ?? []).map((text) => splitPair(text, "--param NAME=value")));
  const watch = watchInterrupts(io);
  const quiet = options.quiet === true;
  const progress = quiet ? null : progressLine(io, file, counted);
  try {
    const scenario = parseScenario(await io.readText(file), file, {
      ...(options.set === undefined ? {} : { settings: options.set }),
      params: await paramsFor(file, params, io),
      policies,
    });
    const { signal } = watch;
    const { document, page, after } = await withSolvers(io, file, { signal, quiet }, (solve) =>
      compare(scenario, {
        ...fileReader(io),
        solve,
        signal,
        ...(progress === null ? {} : { onProgress: progress.update }),
      }),
    );
    progress?.clear();
    io.out(options.json === true ? jsonDocument(document) : terminalPage(page, io.style, io.width));
    await after?.();
    return signal.aborted ? watch.code() : exitCodes.ok;
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
