import { InvalidInputError } from "../core/errors.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { pathText, type ValuePath } from "../scenario/yaml-source.ts";

/** What knows where values stand. */
type Placed = Pick<Scenario, "place">;

/**
 * Runs a step of resolving a scenario. Problems that it throws without a file are placed at the value they are about.
 * `path` is the value that is being resolved; a problem's own `at` is kept below it.
 */
export function located<T>(scenario: Placed, path: ValuePath, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw placed(error, scenario, path);
  }
}

/** {@link located} for steps that wait for files. */
export async function locatedAsync<T>(scenario: Placed, path: ValuePath, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw placed(error, scenario, path);
  }
}

function placed(error: unknown, scenario: Placed, path: ValuePath): unknown {
  if (!(error instanceof InvalidInputError)) return error;
  return new InvalidInputError(
    error.problems.map((problem) =>
      problem.file === undefined ? { ...problem, ...scenario.place(path), at: pathText(path) } : problem,
    ),
  );
}
