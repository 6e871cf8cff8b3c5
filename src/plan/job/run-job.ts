import { InfeasibleError, InvalidInputError, MoecastError, SolverLimitError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import type { FinishedRun } from "../../forecast/advice/try-changes.ts";
import { type ForecastDeps, runScenario } from "../../forecast/forecast-scenario.ts";
import { roughSlos } from "../../forecast/rough-slos.ts";
import type { Job, JobBase, JobStatus, Outcome } from "./job.ts";
import { scenarioOf } from "./job-policies.ts";
import { outcomeFigures } from "./outcome-figures.ts";

/** Characters of a reason: a message that lists hundreds of problems says no more by it. */
const reasonMax = 600;

/**
 * Forecasts a job. Whatever is wrong with its scenario is its outcome, not an error: the other jobs go on. Throws the reason of an
 * aborted signal alone.
 */
export async function runJob(base: JobBase, job: Pick<Job, "settings">, deps: ForecastDeps): Promise<Outcome> {
  try {
    const scenario = await scenarioOf(base, job.settings);
    const finished = await runScenario(scenario, deps);
    deps.signal?.throwIfAborted();
    return outcomeOf(finished);
  } catch (error) {
    deps.signal?.throwIfAborted();
    return refused(statusOf(error), error instanceof MoecastError ? error.message : stackOf(error));
  }
}

/** What is kept of a run. */
function outcomeOf(finished: FinishedRun): Outcome {
  const { forecast } = finished;
  const slos = roughSlos(finished);
  const [binding = null] = slos
    .filter(({ estimate }) => estimate !== null)
    .sort((a, b) => (b.estimate ?? 0) - (a.estimate ?? 0));
  const best = slos.flatMap(({ atBest }) => atBest ?? []);
  return {
    status: "done",
    reason: null,
    verdict: forecast.load.verdict,
    passed: forecast.passed,
    binding: binding?.text ?? null,
    strain: finite(binding?.estimate),
    strainAtBest: best.length === 0 ? null : finite(Math.max(...best)),
    figures: outcomeFigures.map(({ of }) => written(of(forecast))),
  };
}

/** A number as the journal gives it back. */
const written = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value + 0 : null);

/** A multiple of a limit: what is beyond all limits is as far as a number goes. */
const finite = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.min(value, Number.MAX_VALUE);

/** The outcome of a job without a forecast. */
export const refused = (status: Exclude<JobStatus, "done">, reason: string): Outcome => ({
  status,
  // Half a character at the end would be read back as another one.
  reason: printable(printable(reason).slice(0, reasonMax)),
  verdict: null,
  passed: null,
  binding: null,
  strain: null,
  strainAtBest: null,
  figures: [],
});

function statusOf(error: unknown): Exclude<JobStatus, "done"> {
  if (error instanceof InfeasibleError) return "infeasible";
  return error instanceof InvalidInputError || error instanceof SolverLimitError ? "invalid" : "failed";
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
