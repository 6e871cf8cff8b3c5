import { parentPort } from "node:worker_threads";
import { optimisations } from "../../solver/optimisations.ts";
import type { Solver } from "../../solver/solver.ts";
import type { SolveOrder, SolveReport } from "./solver-messages.ts";

/** The thread that solves: one problem after the other, each of a kind of the table. */
const port = parentPort!;
const tell = (report: SolveReport): void => port.postMessage(report);

port.on("message", (order: SolveOrder) => {
  tell({ kind: "began" });
  void (async () => {
    try {
      const solver = optimisations[order.kind]!.solvers[order.solver] as unknown as Solver<unknown, unknown>;
      const attempt = await solver.solve(order.problem, {
        ...order.limits,
        onBetter: (solution, objective, bound) => tell({ kind: "better", solution, objective, bound }),
      });
      tell({ kind: "done", attempt });
    } catch (error) {
      tell({ kind: "failed", error });
    }
  })();
});
