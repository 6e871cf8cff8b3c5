import { localFiles } from "../files/local-files.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { SimConfig } from "../sim/config.ts";
import type { RunResult } from "../sim/result.ts";

/**
 * The configuration that a scenario comes to: every name resolved, every default filled in.
 * @throws InvalidInputError for names that do not exist, InfeasibleError for what an engine refuses to start
 * @experimental
 */
export async function resolveConfiguration(scenario: Scenario): Promise<SimConfig> {
  const { resolveScenario } = await import("../resolve/resolve-scenario.ts");
  return (await resolveScenario(scenario, localFiles)).config;
}

/** How a configuration is run. */
export interface SimulateOptions {
  /** Ends the run when aborted: the result is of what had happened until then, and says `interrupted`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (completed: number, total: number) => void;
}

/**
 * Runs a configuration as it is: no verdicts, no bands, no ledger of how names were resolved.
 * @throws InfeasibleError for a deployment that does not fit
 * @experimental
 */
export async function simulateConfiguration(config: SimConfig, options: SimulateOptions = {}): Promise<RunResult> {
  const { signal, onProgress } = options;
  const [{ simulateCooperatively }, { giveWay }] = await Promise.all([
    import("../sim/simulate.ts"),
    import("../files/cooperative.ts"),
  ]);
  return simulateCooperatively(config, {
    giveWay,
    ...(signal === undefined ? {} : { shouldStop: () => signal.aborted }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}
