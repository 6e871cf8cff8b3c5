import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { limitNames } from "../../src/forecast/baseline.ts";
import { comparedMetrics } from "../../src/forecast/compared-metrics.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { latencies } from "../../src/metrics/latencies.ts";
import { latencyStatistics } from "../../src/metrics/latency-figures.ts";
import { metricEntries, metricsAsRead } from "../../src/metrics/metrics.ts";
import { sloMetricNames, sloMetrics } from "../../src/metrics/slo-metrics.ts";
import { definitions } from "../../src/report/definitions.ts";
import { metricRows } from "../../src/report/metric-rows.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { parseTarget } from "../../src/scenario/slo-expression.ts";
import { latencyMetrics } from "../../src/sim/outcome/request-latencies.ts";
import { forecast } from "../report/build.ts";
import { minimal } from "../scenario/example.ts";

const page = readFileSync("docs/metrics.md", "utf8");
const rows = metricRows(forecast());
const distinct = (names: readonly string[]) => expect(new Set(names).size).toBe(names.length);

test("names, rows and labels are distinct", () => {
  distinct([...metricEntries.map(([name]) => name), ...latencyMetrics]);
  distinct(rows.map(({ metric }) => metric));
  distinct([...metricEntries.map(([, { label }]) => label), ...Object.values(latencies).map(({ label }) => label)]);
});

test("pools, their replicas and what passes between them have rows of the page, each once", async () => {
  const text = `${minimal}pools:
  - { name: prompts, role: prefill, policy: { scaling: { kind: load, target: 4, max: 2 } } }
  - { name: outputs, role: decode }
`;
  const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
  const apart = await forecastScenario(parseScenario(text, "test.yaml"), noFiles);
  const named = metricRows(apart).map(({ metric }) => metric);
  distinct(named);
  const further = named.filter((name) => /^(pool|replica|handover)/.test(name));
  for (const name of further) expect(page).toContain(`| \`${name.replace(/prompts|outputs/, "NAME")}\` |`);
  const value = (name: string) => metricRows(apart).find(({ metric }) => metric === name)?.value;
  expect(value("handover_requests")).toBe(apart.handover!.requests);
  expect(value("pool_utilisation{pool:outputs}")).toBe(apart.pools![1]!.utilisation);
  expect(value("replicas_mean{pool:prompts}")).toBe(apart.scaling![0]!.mean);
  expect(further).toHaveLength(2 * 5 + 6 + 2 + 3 * 4);
});

test("both orders hold every metric", () => {
  const sorted = (list: typeof metricEntries) => list.map(([name]) => name).sort();
  expect(sorted(metricsAsRead)).toEqual(sorted(metricEntries));
});

describe.each(metricEntries)("%s", (name, metric) => {
  test("has a definition, a row and a line of the page of metrics", () => {
    expect(metric.definition.length).toBeGreaterThan(10);
    const found = rows.filter((row) => row.metric === metric.row);
    expect(found).toMatchObject([{ value: metric.of(forecast()) }]);
    const line = page.split("\n").find((text) => text.startsWith(`| \`${metric.row}\` |`));
    expect(line?.endsWith(`| ${metric.definition} |`)).toBe(true);
    if (metric.term !== undefined) expect(definitions[metric.term]).toBe(metric.definition);
  });

  test("can be named where it says so", () => {
    const isSlo = metric.slo !== undefined;
    expect("ok" in parseTarget(name)).toBe(isSlo);
    expect(sloMetricNames.some((known) => known === name)).toBe(isSlo);
    const regresses = metric.regression !== undefined;
    expect(comparedMetrics.some((compared) => compared.name === name)).toBe(regresses);
    expect(limitNames.includes(name)).toBe(regresses);
    if (regresses) expect(metric.better).not.toBeNull();
  });
});

test.each(latencyMetrics)("%s is an SLO, defined, and has a row for every statistic", (name) => {
  const { label, definition } = latencies[name];
  expect(sloMetrics[name].meaning).toContain(definition);
  expect(definitions[label]).toBe(definition);
  expect(page).toContain(`| \`${name}\` | ${label} |`);
  const named = rows.map(({ metric }) => metric);
  expect(named).toEqual(expect.arrayContaining(latencyStatistics.map((part) => `${name}_${part}`)));
});

test("limits have the unit of the figure: shares are ratios, requests per second are rates", () => {
  for (const [, { unit, slo }] of metricEntries)
    if (slo !== undefined) {
      expect(slo.dimension === "ratio").toBe(unit === "share");
      expect(slo.dimension === "rate").toBe(unit === "req/s");
      expect(slo.aggregations.length).toBeGreaterThan(0);
    }
});
