/**
 * Derives the error bands of forecasts from measured serving points: npm run fit:bands -- <serving.csv> [file.json]
 * [date]. Forecasts every point with its deployment, and with its setup, left out of the fit, and with one point of its
 * series given; writes the table that comes with moecast, or `file.json`, and prints how many left-out points the bands
 * hold, cross-fitted.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { readServingPoints } from "../src/calibrate/measured/read-serving-points.ts";
import type { ServingPoint } from "../src/calibrate/measured/serving-point.ts";
import { type BandClass, bandClasses, type ErrorBandTable } from "../src/forecast/bands/error-band-table.ts";
import { fitErrorBands } from "../src/validate/serving/fit-error-bands.ts";
import { alike, middlePoints } from "../src/validate/serving/observe-points.ts";
import { validateServing } from "../src/validate/serving/validate-serving.ts";
import type { PointError } from "../src/validate/serving/validation.ts";

const committed = new URL("../src/forecast/bands/error-bands.json", import.meta.url);
const leaveOuts = { validated: "deployment", elsewhere: "setup", observed: "point" } as const;

async function main(): Promise<void> {
  const [file, output, date = new Date().toISOString().slice(0, 10)] = process.argv.slice(2);
  if (file === undefined) {
    console.error("fit:bands needs a CSV of measured serving points");
    process.exitCode = 2;
    return;
  }
  const points = readServingPoints(readFileSync(file, "utf8"), basename(file));
  const errors = {
    validated: await leftOutErrors(points, "validated"),
    elsewhere: await leftOutErrors(points, "elsewhere"),
    observed: await leftOutErrors(points, "observed"),
  };
  const source = `left-out forecasts of ${points.length} measured serving points`;
  const { table, coverage } = fitErrorBands(errors, { source, date });
  writeFileSync(output ?? committed, tableText(table));
  for (const of of bandClasses)
    for (const latency of ["tpot", "ttft"] as const) {
      const { points: judged, inside } = coverage[of][latency];
      const share = judged === 0 ? "n/a" : `${((100 * inside) / judged).toFixed(1)} %`;
      const [low, high] = table.classes[of][latency];
      console.log(`${of} ${latency}: ${low} to ${high}, holds ${inside} of ${judged} left-out points, ${share}`);
    }
}

/** Errors of the forecasts of a class. Of observed series only those are kept that an observed point speaks for. */
async function leftOutErrors(points: readonly ServingPoint[], of: BandClass): Promise<readonly PointError[]> {
  const { points: errors } = await validateServing(points, { leaveOut: leaveOuts[of], observed: [], inputs: [] });
  if (of !== "observed") return errors;
  const given = new Set(middlePoints(points).map(alike));
  return errors.filter(({ point }) => given.has(alike(point)));
}

/** The table with bands and deployments on one line each, as the formatter has them. */
function tableText(table: ErrorBandTable): string {
  const text = JSON.stringify(table, null, 2)
    .replace(/\[\s+([\d.]+),\s+([\d.]+)\s+\]/g, "[$1, $2]")
    .replace(/\{\s+("version"[^}]*?)\s+\}/g, (_, fields: string) => `{ ${fields.replace(/\s*\n\s*/g, " ")} }`)
    .replace(/\[\s+(\{[^[\]\n]*\})\s+\]/g, "[$1]");
  return `${text}\n`;
}

await main();
