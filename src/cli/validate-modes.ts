import { basename } from "node:path";
import { type Measurement, readMeasurement } from "../calibrate/measured/read-measurement.ts";
import type { ServingPoint } from "../calibrate/measured/serving-point.ts";
import { sha256 } from "../core/digest.ts";
import { refuse, UsageError } from "../core/errors.ts";
import type { ValidationReport } from "../report/validation-exporters.ts";
import { parseScenario, type Scenario } from "../scenario/parse-scenario.ts";
import type { RunValidation } from "../validate/run/run-validation.ts";
import type { MeasuredServing, ValidateRunDeps } from "../validate/run/validate-run.ts";
import type { MetricError, Validation } from "../validate/serving/validation.ts";
import type { LimitedErrors } from "./error-limit.ts";
import { fileReader, type Io } from "./io.ts";
import { filterPoints } from "./point-filter.ts";
import { progressLine } from "./progress.ts";
import type { ValidateOptions } from "./validate-options.ts";

/** A comparison made ready to be shown, and its errors for `--max-error`. */
interface Compared {
  readonly report: ValidationReport;
  readonly errors: LimitedErrors;
  /** What must be equal and is not, in one line; absent where nothing is. */
  readonly broken?: string;
}

interface Surroundings {
  readonly io: Io;
  readonly signal: AbortSignal;
}

type Compare = (options: ValidateOptions, surroundings: Surroundings) => Promise<Compared>;

/** Options of what is run here and now. */
const liveOnly = [
  "trace",
  "backend",
  "shape",
  "cache",
  "slots",
  "from",
  "batch",
  "prefetch",
  "layers",
  "steps",
  "runs",
  "seconds",
] as const satisfies readonly (keyof ValidateOptions)[];

/** Options of a measurement that is compared with the forecast of a scenario. */
const measuredOptions = ["scenario", "set", "observed", "runIndex", "acceptDifferences"] as const;

/** Ways to validate: what each is made with, and the options that only it understands. */
const modes = {
  serving: { compare: compareServing, takes: ["leaveOut", "observed", "filter"], needs: [] },
  kernels: { compare: compareKernels, takes: ["leaveOut"], needs: [] },
  run: { compare: compareRun("run"), takes: measuredOptions, needs: ["scenario"] },
  against: { compare: compareRun("against"), takes: [...measuredOptions, "load"], needs: ["scenario"] },
  live: { compare: compareLive, takes: liveOnly, needs: ["trace"] },
} as const satisfies Record<
  string,
  { compare: Compare; takes: readonly (keyof ValidateOptions)[]; needs: readonly (keyof ValidateOptions)[] }
>;

type Mode = keyof typeof modes;
const modeNames = Object.keys(modes) as readonly Mode[];

/** Options that not every mode understands. */
const particular = [
  "leaveOut",
  "observed",
  "filter",
  "scenario",
  "set",
  "runIndex",
  "load",
  "acceptDifferences",
  ...liveOnly,
] as const;

const word = (option: string): string => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The one mode that the options ask for; throws UsageError for none, several, or options that do not belong to it. */
export function modeOf(options: ValidateOptions): Compare {
  const [name, ...others] = modeNames.filter((mode) => options[mode] !== undefined);
  if (name === undefined || others.length > 0)
    throw new UsageError(`validate: give exactly one of ${modeNames.map(word).join(", ")}`);
  const { compare, takes, needs } = modes[name];
  const problems = [
    ...particular
      .filter((option) => options[option] !== undefined && !(takes as readonly string[]).includes(option))
      .map((option) => `validate ${word(name)}: ${word(option)} does not apply`),
    ...(needs as readonly (keyof ValidateOptions)[])
      .filter((option) => options[option] === undefined)
      .map((option) => `validate ${word(name)}: ${word(option)} is missing`),
  ];
  if (name === "kernels" && options.leaveOut !== undefined && options.leaveOut !== "system")
    problems.push("validate --kernels: --leave-out takes only system");
  if (problems.length > 0) throw new UsageError(problems);
  return compare;
}

async function compareServing(options: ValidateOptions, { io, signal }: Surroundings): Promise<Compared> {
  const { serving: file = "", observed: observedFile, leaveOut = null, filter = [] } = options;
  const read = await readPoints(io, file);
  const points = filterPoints(read.points, filter);
  const observed = observedFile === undefined ? null : await readPoints(io, observedFile);
  const { validateServing } = await import("../validate/serving/validate-serving.ts");
  const { servingPage } = await import("../report/validation-serving.ts");
  const progress = options.quiet === true ? null : progressLine(io, basename(file), "points");
  const document: Validation = await validateServing(points, {
    leaveOut,
    observed: observed?.points ?? [],
    inputs: [
      input("serving points", file, read.text),
      ...filter.map((text) => input("filter", text, text)),
      ...(observed === null || observedFile === undefined
        ? []
        : [input("observed points", observedFile, observed.text)]),
    ],
    signal,
    ...(progress === null ? {} : { onProgress: progress.update }),
  }).finally(() => progress?.clear());
  return { report: { document, page: servingPage(document) }, errors: limited("TPOT errors", document.overall.tpot) };
}

async function compareKernels(options: ValidateOptions, { io }: Surroundings): Promise<Compared> {
  const { kernels: files = [], leaveOut } = options;
  if (options.export?.some((text) => text.startsWith("svg=")) === true)
    throw new UsageError("validate --kernels: there is no plot to export as svg");
  const { kernelValidation } = await import("../validate/kernels/kernel-validation.ts");
  const { kernelPage } = await import("../report/validation-kernels.ts");
  const progress = options.quiet === true ? null : progressLine(io, "reading tables", "files");
  const document = await kernelValidation(files, {
    leaveOut: leaveOut === undefined ? null : "system",
    ...(progress === null ? {} : { onProgress: progress.update }),
  }).finally(() => progress?.clear());
  const percent = (share: number) => (Number.isFinite(share) ? 100 * share : null);
  const { mean, median, p90, bias } = document.overall;
  return {
    report: { document, page: kernelPage(document) },
    errors: {
      of: "kernel time errors",
      percent: { mean: percent(mean), median: percent(median), p90: percent(p90), bias: percent(bias) },
    },
  };
}

function compareRun(mode: "run" | "against"): Compare {
  return async (options, { io, signal }) => {
    const { [mode]: file = "", scenario: scenarioFile = "" } = options;
    const scenario = parseScenario(await io.readText(scenarioFile), scenarioFile, { settings: options.set ?? [] });
    const text = await io.readText(file);
    const measured = servedIn(mode, readMeasurement(text, file), file, options.runIndex);
    const acceptsDifferences = options.acceptDifferences === true;
    const { observationOf } = await import("../calibrate/observed/observe-deployment.ts");
    const observed =
      options.observed === undefined
        ? null
        : observationOf(await io.readText(options.observed), options.observed, acceptsDifferences);
    const progress = options.quiet === true ? null : progressLine(io, basename(file));
    const deps: ValidateRunDeps = {
      ...fileReader(io),
      inputs: [input("measurement", file, text)],
      acceptsDifferences,
      ...(options.load === undefined ? {} : { load: options.load }),
      ...(observed === null ? {} : { observed }),
      signal,
      ...(progress === null ? {} : { onProgress: progress.update }),
    };
    return compared(scenario, measured, file, deps).finally(() => progress?.clear());
  };
}

/** One run in full, or all runs of a file side by side. */
async function compared(
  scenario: Scenario,
  measured: readonly [MeasuredServing, ...MeasuredServing[]],
  file: string,
  deps: ValidateRunDeps,
): Promise<Compared> {
  const [one] = measured;
  if (measured.length === 1) {
    const { validateRun } = await import("../validate/run/validate-run.ts");
    const { runPage } = await import("../report/validation-run.ts");
    const document = await validateRun(scenario, one, deps);
    return { report: { document, page: runPage(document) }, errors: runErrors([document]) };
  }
  const { validateRuns } = await import("../validate/run/validate-runs.ts");
  const { runsPage } = await import("../report/validation-runs.ts");
  const benchmarks = measured.flatMap((each) => (each.kind === "benchmark" ? [each.benchmark] : []));
  const document = await validateRuns(scenario, benchmarks, file, deps);
  const errors = runErrors(document.runs.map(({ validation }) => validation));
  return { report: { document, page: runsPage(document, basename(file)) }, errors };
}

async function compareLive(options: ValidateOptions, surroundings: Surroundings): Promise<Compared> {
  if (options.export?.some((text) => text.startsWith("svg=")) === true)
    throw new UsageError("validate --live: there is no plot to export as svg");
  const { validateLive } = await import("./validate-live.ts");
  const { livePage } = await import("../report/validation-live.ts");
  const document = await validateLive(options, surroundings);
  const { mean, p50, p90 } = document.worstErrorPercent;
  return {
    report: { document, page: livePage(document) },
    errors: { of: "step time error", percent: { mean, median: p50, p90, bias: mean } },
    ...(document.hitsEqual ? {} : { broken: "validate --live: measured and simulated counts differ" }),
  };
}

/** The measured runs of a file, or the one that is asked for; refuses tables of points, which have a mode of their own. */
function servedIn(
  mode: "run" | "against",
  measurement: Measurement,
  file: string,
  number: number | undefined,
): readonly [MeasuredServing, ...MeasuredServing[]] {
  const wanted = mode === "run" ? "requests of a served run, one a row" : "the result of a benchmark";
  if (measurement.kind === "points")
    return refuse({ file, expected: wanted, found: "serving points", hint: "use --serving" });
  const count = measurement.kind === "run" ? 1 : measurement.runs.length;
  if (number !== undefined && number > count)
    return refuse({ file, expected: `a --run-index of at most ${count}, the runs it holds`, found: number });
  if (measurement.kind === "run") return [measurement];
  const [first, ...others] = measurement.runs.map(
    (benchmark): MeasuredServing => ({ kind: "benchmark", benchmark, file }),
  );
  const chosen = number === undefined ? [first!, ...others] : [[first!, ...others][number - 1]!];
  if (mode === "run" && chosen.some((each) => each.kind === "benchmark" && each.benchmark.perRequest === null))
    return refuse({ file, expected: wanted, found: "statistics of a benchmark", hint: "use --against" });
  return chosen as [MeasuredServing, ...MeasuredServing[]];
}

async function readPoints(io: Io, file: string): Promise<{ text: string; points: readonly ServingPoint[] }> {
  const text = await io.readText(file);
  const measurement = readMeasurement(text, file);
  if (measurement.kind !== "points")
    return refuse({ file, expected: "serving points", found: `a ${measurement.kind}`, hint: "use --run or --against" });
  return { text, points: measurement.points };
}

const input = (role: string, name: string, text: string): Validation["inputs"][number] => ({
  role,
  name: basename(name),
  sha256: sha256(text),
});

const limited = (of: string, errors: MetricError): LimitedErrors => ({
  of,
  percent: {
    mean: errors.meanAbsolutePercent,
    median: errors.medianAbsolutePercent,
    p90: errors.p90AbsolutePercent,
    bias: errors.biasPercent,
  },
});

/** A run has one error for each figure: that of the mean TPOT, its median and its 90th percentile; of several the largest. */
function runErrors(runs: readonly RunValidation[]): LimitedErrors {
  const at = (statistic: string) => {
    const errors = runs.map(
      ({ figures }) =>
        figures.find((figure) => figure.metric === "tpot" && figure.statistic === statistic)?.errorPercent ?? null,
    );
    return errors.includes(null)
      ? null
      : errors.reduce((most, error) => (Math.abs(error!) > Math.abs(most!) ? error : most));
  };
  const of = runs.length === 1 ? "TPOT error" : "largest TPOT error of the runs";
  return { of, percent: { mean: at("mean"), median: at("p50"), p90: at("p90"), bias: at("mean") } };
}
