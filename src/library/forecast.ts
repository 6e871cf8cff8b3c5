import { localFiles } from "../files/local-files.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { Plugin } from "../plugin/plugin.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { SolveRunner } from "../solver/solver.ts";
import { tablesOf } from "./load-scenario.ts";

/** How a forecast is made. */
export interface ForecastOptions {
  /** Ends the run when aborted: the forecast is of what had happened until then, and says `interrupted`. */
  readonly signal?: AbortSignal;
  /** Called now and then with the requests finished, of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Whether changes against the bottleneck are tried, in short further runs. Default false. */
  readonly advice?: boolean;
  /** Whether both ends of the error band are run too. Default false. */
  readonly bands?: boolean;
  /** Whether the result keeps what the charts of reports show. Default false. */
  readonly picture?: boolean;
  /** A file with measurements of this deployment, to adjust the forecast to. */
  readonly observed?: string;
  /** `path=value` each, over what the scenario has. */
  readonly settings?: readonly string[];
  /** Policies of your own that those settings may name: plugins, or paths of their files; in place of those it was read with. */
  readonly plugins?: readonly (Plugin | string)[];
}

/**
 * Simulates a scenario and judges the run.
 * @throws InvalidInputError for inputs that cannot be used, InfeasibleError for a deployment that does not fit
 * @stable
 */
export async function forecast(scenario: Scenario, options: ForecastOptions = {}): Promise<Forecast> {
  const { settings = [], plugins, observed, ...followed } = options;
  const { forecastScenario } = await import("../forecast/forecast-scenario.ts");
  const tables = plugins === undefined ? undefined : await tablesOf(plugins);
  const varied = settings.length === 0 && tables === undefined ? scenario : scenario.vary(settings, tables);
  return withSolver(followed.signal, async (solve) =>
    forecastScenario(varied, {
      ...localFiles,
      solve,
      ...followed,
      ...(observed === undefined ? {} : { observed: await observationIn(observed) }),
    }),
  );
}

async function observationIn(file: string) {
  const { observationOf } = await import("../calibrate/observed/observe-deployment.ts");
  return observationOf(await localFiles.readText(file), file);
}

/** Works with a thread for optimisation problems, which begins with the first of them. */
export async function withSolver<T>(
  signal: AbortSignal | undefined,
  work: (solve: SolveRunner) => Promise<T>,
): Promise<T> {
  const { SolverThread } = await import("../place/thread/solver-thread.ts");
  const thread = new SolverThread(signal === undefined ? {} : { signal });
  try {
    return await work(thread.solve);
  } finally {
    await thread.close();
  }
}
