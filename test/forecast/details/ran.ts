import type { SimConfig } from "../../../src/sim/config.ts";
import type { RunView } from "../../../src/sim/outcome/run-view.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { Simulation } from "../../../src/sim/simulation.ts";

/** A run to its end: as those see it who look into its parts, and its result. */
export function ran(config: SimConfig): { readonly run: RunView; readonly result: RunResult } {
  const run = new Simulation(config);
  while (!run.advance(10_000));
  return { run, result: run.result() };
}
