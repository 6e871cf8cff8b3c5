import { version } from "../../core/version.ts";
import type { Forecast, SloVerdict } from "../forecast.ts";
import { type MetricChoice, metricChanges } from "./compare-metrics.ts";
import {
  type Caution,
  type ComparedResult,
  type Comparison,
  comparisonSchemaVersion,
  type ResultComparison,
  type SloChange,
} from "./comparison.ts";
import { inputChanges } from "./input-changes.ts";
import { ledgerChanges } from "./ledger-changes.ts";
import { matchScenarios, type ResultFile } from "./match-scenarios.ts";
import { otherDraws } from "./other-draws.ts";
import { pairedSeedsLeast, sharedSeeds } from "./paired-interval.ts";

/** All metrics, and nothing is a regression. */
const everyMetric: MetricChoice = { only: null, limits: null };

/**
 * Results of two files or more, each against the first. Scenarios are found by their names; files of a single forecast each are
 * compared whatever the names. Throws InvalidInputError for two forecasts of one name in a file, and where no scenario is shared.
 */
export function compareResults(files: readonly ResultFile[], choice: MetricChoice = everyMetric): Comparison {
  const { matched, unmatched } = matchScenarios(files);
  const scenarios = matched.map(([base, ...others]) => ({
    scenario: base.forecast.scenario.name,
    base: resultOf(base.file, base.forecast),
    against: others.map(({ file, forecast }) => againstBase(base.forecast, file, forecast, choice)),
  }));
  const isGone = unmatched.some(({ presentIn }) => presentIn.includes(0));
  return {
    schemaVersion: comparisonSchemaVersion,
    kind: "comparison",
    moecastVersion: version,
    files: files.map(({ file }) => file),
    scenarios,
    unmatched,
    only: choice.only,
    regressed:
      choice.limits !== null &&
      (isGone || scenarios.some(({ against }) => against.some(({ regressions }) => regressions.length > 0))),
  };
}

function againstBase(base: Forecast, file: number, forecast: Forecast, choice: MetricChoice): ResultComparison {
  const metrics = metricChanges(base, forecast, choice);
  return {
    result: resultOf(file, forecast),
    inputs: inputChanges(base, forecast),
    otherDraws: otherDraws(base, forecast),
    sharedSeeds: sharedSeeds(base, forecast).length,
    cautions: cautions(base, forecast),
    metrics,
    slos: sloChanges(base.slos, forecast.slos),
    ledger: ledgerChanges(base, forecast),
    regressions: metrics.flatMap(({ metric, regressed }) => (regressed ? [metric] : [])),
  };
}

function resultOf(file: number, forecast: Forecast): ComparedResult {
  const { scenario, moecastVersion, seed, interrupted, requests, load, passed, bottleneck } = forecast;
  return {
    file,
    scenario: scenario.name,
    moecastVersion,
    seed,
    seeds: forecast.repetitions?.seeds.length ?? 1,
    interrupted,
    requests: { completed: requests.completed, total: requests.total },
    load: load.verdict,
    passed,
    bottleneck: { component: bottleneck.component, share: bottleneck.share },
  };
}

function cautions(base: Forecast, result: Forecast): Caution[] {
  const shared = sharedSeeds(base, result).length;
  return [
    ...ownCautions(base, "base"),
    ...ownCautions(result, "result"),
    ...(base.scenario.name === result.scenario.name ? [] : [{ kind: "otherScenario", of: "result" } as const]),
    ...(shared > 0 && shared < pairedSeedsLeast ? [{ kind: "fewSeeds", of: "result" } as const] : []),
  ];
}

function ownCautions({ interrupted, load }: Forecast, of: Caution["of"]): Caution[] {
  return [
    ...(interrupted ? [{ kind: "interrupted", of } as const] : []),
    ...(load.verdict === "stable" ? [] : [{ kind: load.verdict, of } as const]),
  ];
}

/** The SLOs of either result, those of the base first. */
function sloChanges(before: readonly SloVerdict[], after: readonly SloVerdict[]): SloChange[] {
  const key = ({ metric, expression, level }: SloVerdict) => JSON.stringify([metric, expression, level]);
  const [first, second] = [before, after].map((slos) => new Map(slos.map((slo) => [key(slo), slo]))) as [
    Map<string, SloVerdict>,
    Map<string, SloVerdict>,
  ];
  const stand = (slo: SloVerdict | undefined) =>
    slo === undefined ? null : { passed: slo.passed, valueText: slo.valueText };
  return [...new Map([...first, ...second])].map(([id, { metric, expression, level }]) => ({
    metric,
    expression,
    level,
    before: stand(first.get(id)),
    after: stand(second.get(id)),
  }));
}
