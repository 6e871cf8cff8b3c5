/**
 * Derives the error bands of forecasts from measured serving points:
 *
 *     npm run fit:bands -- points.csv [--kernels tables/] [--output bands.json] [--date YYYY-MM-DD]
 *
 * Forecasts every point with its deployment, setup, system, model, engine, and with all that is near left out of the fit, and
 * with one point of its series given. Writes the table that comes with moecast, or `--output`, and prints for each class how
 * many points lay in a band made without them. The band of kernels on other architectures is made anew from `--kernels`, else
 * kept. Simulated points are kept in `.moecast/fit-bands` until something below `validate` changes: fitting bands again takes
 * seconds.
 */
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readServingPoints } from "../src/calibrate/measured/read-serving-points.ts";
import { sha256 } from "../src/core/digest.ts";
import type { Band } from "../src/forecast/bands/band.ts";
import {
  type BandClass,
  bandClasses,
  type ErrorBandTable,
  errorBandTable,
} from "../src/forecast/bands/error-band-table.ts";
import { kernelValidation } from "../src/validate/kernels/kernel-validation.ts";
import { kernelsElsewhere } from "../src/validate/kernels/kernels-elsewhere.ts";
import { type FittedBands, fitErrorBands, type LeftOutErrors } from "../src/validate/serving/fit-error-bands.ts";
import type { LeaveOut } from "../src/validate/serving/leave-out.ts";
import { alike, middlePoints } from "../src/validate/serving/observe-points.ts";
import { classOfLeaveOut } from "../src/validate/serving/point-bands.ts";
import { validateServing } from "../src/validate/serving/validate-serving.ts";
import type { PointError } from "../src/validate/serving/validation.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const committed = join(root, "src/forecast/bands/error-bands.json");
const cacheFolder = join(root, ".moecast/fit-bands");

/** Folders and files of the sources that decide what a point is forecast to be. */
const deciding = [
  "core",
  "models",
  "hardware",
  "engine",
  "trace",
  "policy",
  "sim",
  "resolve",
  "calibrate",
  "validate/serving/leave-out.ts",
  "validate/serving/observe-points.ts",
  "validate/serving/validate-serving.ts",
];

type Kind = Exclude<LeaveOut, null>;

/** The leave-outs, those that take longest first. */
const kinds = (["point", "near-point"] as Kind[]).concat(
  (Object.keys(classOfLeaveOut) as Kind[]).filter((kind) => !kind.endsWith("point")),
);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kernels: { type: "string" },
      output: { type: "string", default: committed },
      date: { type: "string", default: new Date().toISOString().slice(0, 10) },
      pass: { type: "string" },
    },
  });
  const [file] = positionals;
  if (file === undefined) {
    console.error("fit:bands needs a CSV of measured serving points");
    process.exitCode = 2;
    return;
  }
  if (values.pass !== undefined) {
    await simulatePass(file, values.pass as Kind);
    return;
  }
  await simulatePasses(file);
  const errors = Object.fromEntries(
    kinds.map((kind) => [classOfLeaveOut[kind], JSON.parse(readFileSync(cacheFile(file, kind), "utf8"))]),
  ) as Record<BandClass, readonly PointError[]> satisfies LeftOutErrors;
  const points = readPoints(file);
  const { table, coverage } = fitErrorBands(errors, {
    source: `left-out forecasts of ${points.length} measured serving points`,
    date: values.date,
    kernelsElsewhere: values.kernels === undefined ? errorBandTable.kernelsElsewhere : await kernelBand(values.kernels),
  });
  writeFileSync(values.output, tableText(table));
  console.log(coverageText(table, coverage));
}

const readPoints = (file: string) => readServingPoints(readFileSync(file, "utf8"), basename(file));

async function kernelBand(folder: string): Promise<Band> {
  const { groups } = await kernelValidation([folder], { leaveOut: "system" });
  const [low, high] = kernelsElsewhere(groups, errorBandTable.nominal);
  return [Number(low.toPrecision(3)), Number(high.toPrecision(3))];
}

/** Where the errors of a pass are kept: named by the points and the sources that they follow from. */
function cacheFile(file: string, kind: Kind): string {
  const sources = deciding.flatMap((name) => filesOf(join(root, "src", name))).sort();
  const digest = sha256([readFileSync(file, "utf8"), ...sources.map((path) => readFileSync(path, "utf8"))].join("\0"));
  return join(cacheFolder, `${kind}-${digest.slice(0, 16)}.json`);
}

const filesOf = (path: string): string[] =>
  path.endsWith(".ts")
    ? [path]
    : readdirSync(path, { recursive: true, encoding: "utf8" })
        .filter((name) => /\.(ts|json)$/.test(name))
        .map((name) => join(path, name));

/** Simulates what is not kept, each pass in a process of its own. */
async function simulatePasses(file: string): Promise<void> {
  const missing = kinds.filter((kind) => !existsSync(cacheFile(file, kind)));
  const next = async (): Promise<void> => {
    for (let kind = missing.shift(); kind !== undefined; kind = missing.shift()) {
      console.error(`left out: ${kind}`);
      const child = fork(fileURLToPath(import.meta.url), [file, "--pass", kind]);
      const code = await new Promise<number | null>((done) => child.on("exit", done));
      if (code !== 0) throw new Error(`pass ${kind} ended with ${code}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
}

/** Errors of the forecasts of a class. Of observed series only those are kept that an observed point speaks for. */
async function simulatePass(file: string, kind: Kind): Promise<void> {
  const points = readPoints(file);
  const { points: errors } = await validateServing(points, { leaveOut: kind, observed: [], inputs: [] });
  const given = new Set(middlePoints(points).map(alike));
  const kept = kind.endsWith("point") ? errors.filter(({ point }) => given.has(alike(point))) : errors;
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(cacheFile(file, kind), JSON.stringify(kept));
}

/** Rows of the table of docs/validation.md. */
function coverageText(
  { classes, kernelsElsewhere: kernels }: ErrorBandTable,
  coverage: FittedBands["coverage"],
): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const cells = (of: BandClass) =>
    (["tpot", "ttft"] as const).flatMap((latency) => {
      const { points, inside, meanOfParts } = coverage[of][latency];
      const [low, high] = classes[of][latency];
      return [`${low} to ${high}`, points === 0 ? "n/a" : `${percent(inside / points)} (${percent(meanOfParts)})`];
    });
  return [
    "| basis | parts | TPOT band | inside | TTFT band | inside |",
    "|---|---|---|---|---|---|",
    ...bandClasses.map((of) => `| \`${of}\` | ${coverage[of].tpot.parts} | ${cells(of).join(" | ")} |`),
    "",
    `Kernels of left-out architectures: ${kernels.join(" to ")}.`,
  ].join("\n");
}

/** The table with bands and deployments on one line each, as the formatter has them. */
function tableText(table: ErrorBandTable): string {
  const text = JSON.stringify(table, null, 2)
    .replace(/\[\s+([\d.]+),\s+([\d.]+)\s+\]/g, "[$1, $2]")
    .replace(/\{\s+("version"[^}]*?)\s+\}/g, (_, fields: string) => `{ ${fields.replace(/\s*\n\s*/g, " ")} }`)
    .replace(/\[\s+(\{[^{[\]\n]*\})\s+\]/g, "[$1]");
  return `${text}\n`;
}

await main();
