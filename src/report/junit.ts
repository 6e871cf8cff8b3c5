import junit, { type Builder } from "junit-report-builder";
import { printable } from "../core/errors.ts";
import type { Exporter } from "./exporter.ts";

// The package's types describe its CommonJS wrapper; under ES modules the default export is the builder itself.
const builder = junit as unknown as Builder;

/** One test suite per scenario, one test case per SLO; a warning that fails is reported in the case's output. */
export const junitExport: Exporter = {
  description: "JUnit XML, one case per SLO",
  render: (forecasts) => {
    const report = builder.newBuilder();
    for (const forecast of forecasts) {
      const suite = report.testSuite().name(printable(forecast.scenario.name)).timestamp("");
      const cases = forecast.slos.map((slo) => ({
        name: `${slo.metric} ${slo.expression}`,
        passed: slo.passed,
        error: slo.level === "error",
        detail: `observed ${slo.observedText}, ${slo.samples} samples${slo.reason === null ? "" : `: ${slo.reason}`}`,
      }));
      for (const delta of forecast.baseline ?? [])
        cases.push({
          name: `baseline ${delta.metric}`,
          passed: !delta.failed,
          error: true,
          detail: `${delta.before} before, ${delta.after} after`,
        });
      for (const one of cases) {
        const testCase = suite.testCase().className(printable(forecast.scenario.name)).name(printable(one.name));
        if (one.passed) continue;
        if (one.error) testCase.failure(printable(one.detail));
        else testCase.standardOutput(printable(`warning: ${one.detail}`));
      }
    }
    return report.build();
  },
};
