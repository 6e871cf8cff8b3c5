import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LatencyStatistics } from "../../src/calibrate/measured/latency-statistics.ts";
import { listedSeriesOf } from "../../src/calibrate/measured/listed-series.ts";
import { runStatistics } from "../../src/calibrate/measured/measured-run.ts";
import { namesOf } from "../../src/calibrate/measured/names.ts";
import { loadMeasurement } from "../../src/calibrate/measured/read-measurement.ts";
import { configurationsOf, inseparable } from "../../src/calibrate/measured/repeats.ts";
import { type CheckLine, checkLine } from "./check-line.ts";

/**
 * Readers of measured servers on the recorded points and on the recorded run, against figures computed independently.
 */
export const measurementsCheck = {
  name: "measurements",
  folders: ["serving"],

  async run(folder: string): Promise<readonly CheckLine[]> {
    const serving = join(folder, "serving");
    return [
      ...(await pointLines(join(serving, "measured_moe_serving.csv"))),
      ...(await runLines(join(serving, "llmservingsim_rtxpro6000"))),
    ];
  },
};

async function pointLines(file: string): Promise<CheckLine[]> {
  const { measurement } = await loadMeasurement(file);
  if (measurement.kind !== "points") return [checkLine("kind of the table", "points", measurement.kind)];
  const { points } = measurement;
  const configurations = configurationsOf(points);
  const repeated = configurations.filter((configuration) => configuration.points.length > 1);
  const surplus = repeated.reduce((sum, configuration) => sum + configuration.points.length - 1, 0);
  const restated = repeated.map((configuration) => configuration.restated.length);
  const trueRepeats = repeated.filter((c) => c.points.length - c.restated.length > 1);
  return [
    checkLine("points", 968, points.length),
    checkLine(
      "points of which every name is known",
      968,
      points.filter((point) => namesOf(point).names !== null).length,
    ),
    checkLine("repeated configurations", 131, repeated.length),
    checkLine("surplus rows of them", 159, surplus),
    checkLine(
      "rows that restate another",
      59,
      restated.reduce((sum, count) => sum + count, 0),
    ),
    checkLine("configurations measured more than once", 74, trueRepeats.length),
    // 14 configurations appear under two labels of one development build.
    checkLine("parts that a split keeps whole", configurations.length - 14, inseparable(points).length),
    checkLine("points of the listed series", 165, points.filter((point) => listedSeriesOf(point) !== null).length),
  ];
}

/** Rows of `summary.txt`: the measured value in ms is the first number behind the name. */
const summaryRows: readonly (readonly [name: string, statistic: keyof LatencyStatistics])[] = [
  ["Mean", "mean"],
  ["Median", "p50"],
  ["P90", "p90"],
  ["P95", "p95"],
  ["P99", "p99"],
];

async function runLines(folder: string): Promise<CheckLine[]> {
  const { measurement } = await loadMeasurement(join(folder, "requests.jsonl"));
  if (measurement.kind !== "run") return [checkLine("kind of the records", "run", measurement.kind)];
  const { run } = measurement;
  const statistics = runStatistics(run);
  const summary = readFileSync(join(folder, "summary.txt"), "utf8");
  const stated = (name: string) => new RegExp(`^${name} +([\\d.]+)`, "m").exec(summary)?.[1] ?? "missing";
  const metrics = { TTFT: statistics.ttft, TPOT: statistics.tpot, Latency: statistics.e2e };
  return [
    checkLine("requests", 300, run.requests.count),
    checkLine("requests that wait above 100 ms", 44, run.queueMs?.filter((ms) => ms > 100).length ?? 0),
    checkLine("output tokens/s", 3116, Math.round(statistics.outputTokensPerSecond)),
    checkLine("seconds", "64.0", statistics.seconds.toFixed(1)),
    ...Object.entries(metrics).flatMap(([metric, found]) =>
      summaryRows.map(([name, key]) =>
        checkLine(`${metric} ${name}, ms`, stated(`${metric} ${name}`), (found[key] ?? Number.NaN).toFixed(1)),
      ),
    ),
  ];
}
