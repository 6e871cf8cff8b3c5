import { localFiles } from "../files/local-files.ts";
import type { Explanation } from "../forecast/explain/explanation.ts";
import type { Sensitivity } from "../forecast/sensitivity/sensitivity.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { withSolver } from "./forecast.ts";

interface Watched {
  /** Ends it when aborted, with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What is explained. */
export interface ExplainOptions extends Watched {
  /** Default: the latency of the SLO that failed or has the smallest margin. */
  readonly metric?: "ttft" | "tpot" | "e2e";
  /** The percentile beside the median, in (0, 1). Default 0.99. */
  readonly p?: number;
  /** Whether what would help is found out, by further runs. Default true. */
  readonly ideals?: boolean;
}

/** How inputs are turned. */
export interface SensitivityOptions extends Watched {
  /** As a share of each input, in (0, 1). Default 0.2. */
  readonly spread?: number;
}

/**
 * Where the time of the median request and of one in the tail goes, and what would help, as `moecast explain --json` says it.
 * @throws InvalidInputError for inputs that cannot be used, InfeasibleError for a deployment that does not fit
 * @experimental
 */
export async function explain(scenario: Scenario, options: ExplainOptions = {}): Promise<Explanation> {
  const { signal, onProgress, ideals = true, ...asked } = options;
  const { explainScenario } = await import("../forecast/explain/explain-scenario.ts");
  const { explanation } = await withSolver(signal, (solve) =>
    explainScenario(scenario, { ideals, ...asked }, { ...localFiles, solve, ...watched(signal, onProgress) }),
  );
  return explanation;
}

/**
 * Which numeric inputs of a scenario move its figures most: each is turned down and up, one at a time, on the same draws.
 * @throws InvalidInputError for inputs that cannot be used, InfeasibleError for a deployment that does not fit
 * @experimental
 */
export async function sensitivity(scenario: Scenario, options: SensitivityOptions = {}): Promise<Sensitivity> {
  const { signal, onProgress, ...asked } = options;
  const { sensitivityOf } = await import("../forecast/sensitivity/sensitivity-of.ts");
  return withSolver(signal, (solve) =>
    sensitivityOf(scenario, { ...localFiles, solve, ...watched(signal, onProgress) }, asked),
  );
}

const watched = (signal: AbortSignal | undefined, onProgress: Watched["onProgress"]): Watched => ({
  ...(signal === undefined ? {} : { signal }),
  ...(onProgress === undefined ? {} : { onProgress }),
});
