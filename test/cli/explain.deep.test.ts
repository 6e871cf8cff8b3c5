import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { comparedMetrics } from "../../src/forecast/compared-metrics.ts";
import type { Explanation } from "../../src/forecast/explain/explanation.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { latencies } from "../../src/metrics/latencies.ts";
import { latencyMetrics } from "../../src/sim/outcome/request-latencies.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const shipped = join(import.meta.dirname, "..", "..", "scenarios");

/**
 * By how much the gain over the whole scenario may differ from what the trial promised, in points of a share: the trial has a
 * tenth of the requests, and its batches fill while the whole one's are full.
 */
const tolerance = 0.15;

async function run(scenario: string, name: string, settings: readonly string[]): Promise<Forecast> {
  const file = path(`${name}.json`);
  const set = settings.flatMap((one) => ["--set", one]);
  await moecast(["run", scenario, ...set, "--no-advice", "-q", "--no-thresholds", "--export", `json=${file}`]);
  return JSON.parse(readFileSync(file, "utf8")) as Forecast;
}

/** The metric that an explanation names, of a forecast. */
function figure(label: string, forecast: Forecast): number {
  for (const metric of latencyMetrics)
    for (const { name, of } of comparedMetrics)
      if (name.startsWith(`${metric}.`) && label === `${latencies[metric].label} ${name.split(".")[1]}`)
        return of(forecast) ?? Number.NaN;
  return forecast.throughput.outputTokensPerSecond;
}

test.each(["quickstart", "offload-4090", "cluster-ep8", "deepseek-h200"])(
  "%s: the first advice, applied to the whole scenario, gives about the gain that it promised",
  async (name) => {
    const scenario = join(shipped, `${name}.yaml`);
    const { code, out } = await moecast(["explain", scenario, "-q", "--json"]);
    expect(code).toBe(0);
    const { helps } = JSON.parse(out) as Explanation;
    const first = helps!.first!;
    const [before, after] = [
      await run(scenario, `${name}-before`, []),
      await run(scenario, `${name}-after`, first.set),
    ];
    const [was, is] = [figure(helps!.metric, before), figure(helps!.metric, after)];
    const gain = (helps!.lowerIsBetter ? was - is : is - was) / was;
    console.log(
      `${name}: ${first.set.join(" ")}: ${helps!.metric} promised ${first.effect.gain.toFixed(3)}, got ${gain.toFixed(3)}`,
    );
    expect(gain).toBeGreaterThan(0);
    expect(Math.abs(gain - first.effect.gain)).toBeLessThan(tolerance);
  },
  600_000,
);
