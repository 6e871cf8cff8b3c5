import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { validationExporters } from "../../src/report/validation-exporters.ts";
import { runPage } from "../../src/report/validation-run.ts";
import { timeComponents } from "../../src/sim/result.ts";
import type { RunValidation } from "../../src/validate/run/run-validation.ts";
import { metricError } from "../../src/validate/serving/summarise.ts";
import { drawn } from "../drawn.ts";
import { forecast, overloaded } from "./build.ts";

/** Two requests, forecast at twice the speed of the measured server. */
const validation = (changes: Partial<RunValidation> = {}): RunValidation => ({
  schemaVersion: 3,
  kind: "run-validation",
  moecastVersion: "9.9.9",
  inputs: [{ role: "measurement", name: "run.jsonl", sha256: "0123456789abcdef".repeat(4) }],
  workload: "replayed",
  notes: [],
  requests: { measured: 2, compared: 2 },
  figures: [
    { metric: "ttft", statistic: "p50", unit: "ms", measured: 120, predicted: 60, errorPercent: -50 },
    { metric: "tpot", statistic: "mean", unit: "ms", measured: 20, predicted: 10, errorPercent: -50 },
    { metric: "tpot", statistic: "p99", unit: "ms", measured: null, predicted: null, errorPercent: null },
    { metric: "outputThroughput", statistic: null, unit: "tok/s", measured: 500, predicted: 1000, errorPercent: 100 },
  ],
  perRequest: { ttft: metricError([-50, -50]), tpot: metricError([-50]), e2e: metricError([-50, -50]) },
  pairs: [40, 1].map((outputTokens, index) => ({
    index,
    promptTokens: 100,
    outputTokens,
    measured: { ttftMs: 120, tpotMs: outputTokens > 1 ? 20 : null, e2eMs: 900 },
    predicted: { ttftMs: 60, tpotMs: outputTokens > 1 ? 10 : null, e2eMs: 450 },
  })),
  stepMs: Object.fromEntries(timeComponents.map((name, i) => [name, i])) as RunValidation["stepMs"],
  forecast: forecast(),
  ...changes,
});
const text = (changes: Partial<RunValidation> = {}, width?: number) =>
  terminalPage(runPage(validation(changes)), plainStyle, width);

describe("the report of a measured run", () => {
  test("begins with the errors of TPOT, TTFT and throughput", () => {
    expect(text()).toContain("TPOT mean -50.0% | TTFT p50 -50.0% | output throughput +100.0%");
    expect(text()).toContain("arrivals and lengths of 2 measured requests, 2 completed on both sides");
  });

  test("sets every figure beside its measurement, and its time by component", () => {
    expect(text()).toMatch(/^ {2}TTFT p50 +120\.00 ms +60\.00 ms +-50\.0%$/m);
    expect(text()).toMatch(/^ {2}TPOT p99 +n\/a +n\/a +n\/a$/m);
    expect(text()).toMatch(/^ {2}E2E +2 +50\.0% +50\.0% +50\.0% +-50\.0%$/m);
    expect(text()).toMatch(/^ {2}experts +60\.0% +1\.00 ms$/m);
    expect(text()).toContain("each token reads one row");
  });

  test("says where only statistics were compared, and what kept the forecast from latencies", () => {
    const plain = text({ workload: "scenario", perRequest: null, pairs: [], forecast: overloaded() }, 200);
    expect(plain).toContain("the measurement states only statistics");
    expect(plain).toContain("forecast OVERLOADED");
    expect(plain).not.toContain("Request by request");
    expect(plain).not.toContain("E2E, ms");
    expect(text({ forecast: forecast({ interrupted: true }) })).toContain("INTERRUPTED");
    expect(text({ figures: [] })).toContain("nothing to compare");
  });

  test("fits its terminal from 60 cells on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 140 }), (width) => {
        for (const line of text({}, width).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
      { numRuns: drawn(30) },
    );
  });

  test("exports a row for every request and every figure", () => {
    const document = validation();
    const rows: Record<string, string>[] = parse(
      validationExporters.csv.render({ document, page: runPage(document) }),
      { columns: true },
    );
    expect(rows.filter(({ row }) => row === "request")).toHaveLength(2);
    expect(rows[0]).toMatchObject({ request: "1", e2e_measured_ms: "900", e2e_forecast_ms: "450", metric: "" });
    expect(rows[1]).toMatchObject({ tpot_measured_ms: "" });
    expect(rows[5]).toMatchObject({ row: "figure", metric: "outputThroughput", error_percent: "100", request: "" });
  });
});
