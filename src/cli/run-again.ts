import { InvalidInputError } from "../core/errors.ts";
import type { FinishedRun } from "../forecast/advice/try-changes.ts";
import { differingInputs } from "../forecast/explain/reproduction.ts";
import { type ForecastDeps, runScenario } from "../forecast/forecast-scenario.ts";
import type { ExplainedFile } from "./explained-file.ts";

/**
 * Runs the scenario of a result once more. Throws InvalidInputError where an input is not the one that the result was made from,
 * unless that is accepted.
 */
export async function runAgain(
  { scenario, file, result }: ExplainedFile,
  deps: ForecastDeps,
  acceptDifferences: boolean,
): Promise<FinishedRun> {
  const finished = await runScenario(scenario, deps);
  deps.signal?.throwIfAborted();
  const differing = result === null ? [] : differingInputs(result.inputs, finished.resolved.inputs);
  if (differing.length > 0 && !acceptDifferences)
    throw new InvalidInputError(
      differing.map((found) => ({
        file,
        at: "inputs",
        expected: "the inputs that the result was made from",
        found,
        hint: "--accept-differences takes the run of these inputs",
      })),
    );
  return finished;
}
