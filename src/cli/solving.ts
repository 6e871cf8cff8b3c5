import { oneLine } from "../core/printable.ts";
import { formatNumber } from "../core/units.ts";
import { SolverThread } from "../place/thread/solver-thread.ts";
import type { SolveRunner } from "../solver/solver.ts";
import type { Io } from "./io.ts";
import { clearLine } from "./terminal-output.ts";

const redrawMs = 500;

/**
 * Works with solvers on a thread of their own: no problem outlasts its limit of time, and Ctrl-C is served. On a terminal a line says how
 * good the best solution of the problem under way is.
 */
export async function withSolvers<T>(
  io: Io,
  name: string,
  options: { readonly signal?: AbortSignal; readonly quiet?: boolean },
  work: (solve: SolveRunner) => Promise<T>,
): Promise<T> {
  let drawnAt = 0;
  const draw = (problem: string, objective: number, bound: number): void => {
    if (Date.now() < drawnAt + redrawMs) return;
    drawnAt = Date.now();
    const atLeast = Number.isFinite(bound) ? `, no less than ${formatNumber(bound, 4)}` : "";
    io.err(`${clearLine}${oneLine(name)}: ${problem} ${formatNumber(objective, 4)}${atLeast}`);
  };
  const thread = new SolverThread({
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.quiet === true || !io.progress ? {} : { onBetter: draw }),
  });
  try {
    return await work(thread.solve);
  } finally {
    if (drawnAt > 0) io.err(clearLine);
    await thread.close();
  }
}
