import junit, { type Builder } from "junit-report-builder";
import { oneLine } from "../core/printable.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { comparedLabel, drawsLabel } from "./baseline-labels.ts";
import type { Exporter } from "./exporter.ts";
import { headline } from "./headline.ts";
import { unvalidatedLabel } from "./labels.ts";

// The package's types describe its CommonJS wrapper; under ES modules the default export is the builder itself.
const builder = junit as unknown as Builder;

/** Equal runs give equal bytes, so the wall clock has no place here; readers insist on a date. */
const timestamp = "1970-01-01T00:00:00";

interface Case {
  readonly name: string;
  readonly passed: boolean;
  readonly error: boolean;
  readonly detail: string;
}

/**
 * One test suite per scenario, one test case per SLO and per metric of a baseline; a warning that fails is reported in
 * the case's output. A scenario without a forecast is a suite with one error, as is an interrupted one.
 */
export const junitExport: Exporter = {
  appends: false,
  reportsFailures: true,
  render: (forecasts, { failures = [] } = {}) => {
    const report = builder.newBuilder();
    for (const forecast of forecasts) {
      const name = oneLine(forecast.scenario.name);
      const suite = report.testSuite().name(name).timestamp(timestamp);
      suite.property("headline", oneLine(headline(forecast)));
      const unvalidated = unvalidatedLabel(forecast);
      if (unvalidated !== "") suite.property("accuracy", oneLine(unvalidated));
      if (forecast.baselineRun !== null)
        suite.property("baseline", oneLine(drawsLabel(forecast.baselineRun, forecast)));
      if (forecast.interrupted)
        suite.testCase().className(name).name("run completed").error("interrupted: figures cover a part of the run");
      for (const one of [...sloCases(forecast), ...baselineCases(forecast)]) {
        const testCase = suite.testCase().className(name).name(oneLine(one.name));
        if (one.passed) continue;
        if (one.error) testCase.failure(oneLine(one.detail));
        else testCase.standardOutput(oneLine(`warning: ${one.detail}`));
      }
    }
    for (const { file, message } of failures) {
      const name = oneLine(file);
      const suite = report.testSuite().name(name).timestamp(timestamp);
      suite.testCase().className(name).name("forecast").error(oneLine(message));
    }
    return `${report.build()}\n`;
  },
};

function sloCases({ slos }: Forecast): Case[] {
  return slos.map((slo) => ({
    name: `${slo.metric} ${slo.expression}`,
    passed: slo.passed,
    error: slo.level === "error",
    detail: `value ${slo.valueText}, ${slo.samples} samples${slo.reason === null ? "" : `: ${slo.reason}`}`,
  }));
}

function baselineCases({ baseline }: Forecast): Case[] {
  return (baseline ?? []).map((delta) => ({
    name: `baseline ${delta.metric}`,
    passed: !delta.failed,
    error: true,
    detail: comparedLabel(delta),
  }));
}
