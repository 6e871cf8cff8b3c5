import type { MeasuredBenchmark } from "../../calibrate/measured/measured-benchmark.ts";
import { InvalidInputError } from "../../core/errors.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import { type NumberedRun, type RunsValidation, runValidationSchemaVersion } from "./run-validation.ts";
import { type ValidateRunDeps, validateRun } from "./validate-run.ts";

/**
 * Compares every run of a benchmark's file with its forecast. Runs that differ from the scenario are left out and told;
 * throws InvalidInputError where all do.
 */
export async function validateRuns(
  scenario: Scenario,
  benchmarks: readonly MeasuredBenchmark[],
  file: string,
  deps: ValidateRunDeps,
): Promise<RunsValidation> {
  const runs: NumberedRun[] = [];
  const skipped: { run: number; reason: string }[] = [];
  let refused: InvalidInputError | null = null;
  for (const [i, benchmark] of benchmarks.entries()) {
    try {
      runs.push({ run: i + 1, validation: await validateRun(scenario, { kind: "benchmark", benchmark, file }, deps) });
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      refused ??= error;
      const reason = error.problems.map(({ at, found }) => `${at ?? ""} ${String(found)}`.trim()).join(", ");
      skipped.push({ run: i + 1, reason });
    }
  }
  if (runs.length === 0 && refused !== null) throw refused;
  return { schemaVersion: runValidationSchemaVersion, kind: "runs-validation", runs, skipped };
}
