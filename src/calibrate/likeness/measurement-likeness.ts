import { InvalidInputError, type Problem } from "../../core/errors.ts";
import type { SimConfig } from "../../sim/config.ts";
import { type MeasuredBenchmark, unstated } from "../measured/measured-benchmark.ts";
import { deploymentLikeness } from "./deployment-likeness.ts";
import { bothLikenesses, type Likeness } from "./likeness.ts";
import { type LoadReach, loadLikeness } from "./load-likeness.ts";

/**
 * How far a benchmark is one of what `config` describes. The load counts where the measurement does not bring its requests:
 * those are replayed.
 */
export function benchmarkLikeness(config: SimConfig, benchmark: MeasuredBenchmark, reach: LoadReach): Likeness {
  const deployment = deploymentLikeness(config, benchmark.deployment);
  return benchmark.perRequest === null
    ? bothLikenesses(deployment, loadLikeness(config, benchmark, reach))
    : deployment;
}

/** The same of requests that were recorded one by one: they say nothing of their deployment. */
export const runLikeness = (config: SimConfig): Likeness => deploymentLikeness(config, unstated.deployment);

/** The option that uses a measurement all the same. */
export const acceptOption = "--accept-differences";

/** Throws what a measurement states otherwise than the scenario, unless it is `accepted`. */
export function checkLikeness({ differences }: Likeness, file: string, accepted: boolean): void {
  if (differences.length === 0 || accepted) return;
  const hint = `${acceptOption} uses it all the same`;
  throw new InvalidInputError(
    differences.map((problem, i): Problem => ({ file, ...problem, ...(i === differences.length - 1 ? { hint } : {}) })),
  );
}

/** Differences that were accepted, and assumptions, in words. */
export const likenessNotes = ({ differences, assumptions }: Likeness): string[] => [
  ...differences.map(
    ({ at = "", expected, found }) => `accepted all the same: ${at} ${String(found)}, expected ${expected}`,
  ),
  ...assumptions,
];
