import type { SimConfig } from "./config.ts";
import type { RunView } from "./outcome/run-view.ts";
import type { StepWatch } from "./outcome/step-watch.ts";
import type { RunResult } from "./result.ts";
import { Simulation } from "./simulation.ts";
import type { FollowSteps } from "./step-runner.ts";

/** Hooks of a caller into a run that is going on. */
export interface SimulateHooks {
  /** Called with the duration and the end of every step, in order, ns. */
  onStep?: (this: void, ns: number, endNs: number) => void;
  /** Told of every step, and what it is made of. */
  readonly steps?: StepWatch;
  /** Follows steps through layers. */
  readonly follow?: FollowSteps;
  onProgress?(completed: number, total: number): void;
  /** Asked between batches of steps. true ends the run with what has happened so far. */
  shouldStop?(): boolean;
  /** Steps of the next batch; 2048 each where nobody says. What comes out does not depend on it. */
  batchSteps?(): number;
  /** Shown the run before its first step and after every batch: to be read, never changed. */
  onBatch?(run: RunView): void;
}

const stepsPerBatch = 2048;
/** The same where a stretch has a limit: no policy is asked so often in one that all of them together take long. */
const boundedSteps = 64;

const asIs = <T>(work: () => T): T => work();

/** Runs a configuration to its end, or until `shouldStop`. */
export function simulate(config: SimConfig, hooks: SimulateHooks = {}): RunResult {
  const { bounded = asIs } = config;
  const simulation = bounded(() => new Simulation(config, hooks.onStep, hooks.steps, hooks.follow));
  while (!bounded(() => simulation.advance(batchOf(config)))) {
    report(simulation, hooks);
    if (hooks.shouldStop?.() === true) return bounded(() => simulation.result(true));
  }
  report(simulation, hooks);
  return bounded(() => simulation.result());
}

/** The same, giving way between batches: signals and timers of the process are served. */
export async function simulateCooperatively(
  config: SimConfig,
  hooks: SimulateHooks & { giveWay(): Promise<void> },
): Promise<RunResult> {
  const { bounded = asIs } = config;
  const simulation = bounded(() => new Simulation(config, hooks.onStep, hooks.steps, hooks.follow));
  hooks.onBatch?.(simulation);
  while (!bounded(() => simulation.advance(batchOf(config, hooks.batchSteps?.())))) {
    report(simulation, hooks);
    hooks.onBatch?.(simulation);
    await hooks.giveWay();
    if (hooks.shouldStop?.() === true) return bounded(() => simulation.result(true));
  }
  report(simulation, hooks);
  hooks.onBatch?.(simulation);
  return bounded(() => simulation.result());
}

const batchOf = ({ bounded }: SimConfig, steps: number = stepsPerBatch): number =>
  bounded === undefined ? steps : Math.min(steps, boundedSteps);

function report(simulation: Simulation, hooks: SimulateHooks): void {
  hooks.onProgress?.(simulation.completed + simulation.rejected, simulation.state.count);
}
