/**
 * How far the metrics of a scenario lie apart over seeds, and how often the regression gate takes another seed for a
 * regression: `npm run check:seeds -- [scenario] [limits] [seeds]`. The figures of docs/ci.md are its output.
 */
import { readFileSync } from "node:fs";
import { regressionLimits, resolvedLimits } from "../src/cli/regression-limits.ts";
import { mean, variance } from "../src/core/statistics.ts";
import { compareForecasts } from "../src/forecast/baseline.ts";
import { comparedMetrics } from "../src/forecast/compared-metrics.ts";
import type { BaselineDelta, Forecast } from "../src/forecast/forecast.ts";
import { forecastScenario } from "../src/forecast/forecast-scenario.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";

const [file = "scenarios/ci/pass.yaml", limits = "5%", seeds = "20"] = process.argv.slice(2);
const readText = async (path: string) => readFileSync(path, "utf8");
const runs: Forecast[] = [];
for (let seed = 1; seed <= Number(seeds); seed++)
  runs.push(
    await forecastScenario(parseScenario(await readText(file), file, { settings: [`seed=${seed}`] }), { readText }),
  );

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const pairs = runs.flatMap((before, i) =>
  runs.slice(i + 1).flatMap((after) => [[before, after] as const, [after, before] as const]),
);
const deltas = pairs.map(([before, after]) =>
  compareForecasts(before, after, resolvedLimits(regressionLimits(limits))),
);
const beyondLimit = ({ regression, limit }: BaselineDelta) => (regression ?? 0) > limit;
console.log(
  `| metric | standard deviation | largest change for the worse | beyond its limit | and beyond the interval |\n|---|---:|---:|---:|---:|`,
);
for (const { name, of } of comparedMetrics) {
  const values = runs.map(of).filter((value) => value !== null);
  if (values.length < runs.length) continue;
  const of1 = deltas.flatMap((list) => list.filter(({ metric }) => metric === name));
  const shareOf = (test: (delta: (typeof of1)[number]) => boolean) => percent(of1.filter(test).length / of1.length);
  const spread = mean(values) === 0 ? 0 : Math.sqrt(variance(values)) / mean(values);
  const worst = of1.reduce((high, { regression }) => Math.max(high, regression ?? 0), 0);
  const over = shareOf(beyondLimit);
  console.log(
    `| \`${name}\` | ${percent(spread)} | ${percent(worst)} | ${over} | ${shareOf(({ failed }) => failed)} |`,
  );
}
const without = deltas.filter((list) => list.some(beyondLimit)).length;
const within = deltas.filter((list) => list.some(({ failed }) => failed)).length;
console.log(
  `\n${pairs.length} pairs of seeds: a regression in ${percent(without / pairs.length)} by the limits alone, in ${percent(within / pairs.length)} with the interval`,
);
