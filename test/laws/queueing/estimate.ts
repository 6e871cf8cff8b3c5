import type { RandomStream } from "../../../src/core/random.ts";
import type { QueueingCase } from "./cases.ts";
import { controlledMean } from "./control-variates.ts";
import type { Observation } from "./observation.ts";

interface Estimate {
  readonly meanNs: number;
  /** Of the 99 % confidence interval. */
  readonly halfWidthNs: number;
  readonly observations: readonly Observation[];
}

/** Mean time in system over independent replications of so many customers each. */
export function estimate(
  model: QueueingCase,
  rho: number,
  replications: number,
  customers: number,
  random: RandomStream,
): Estimate {
  const run = { warmUp: warmUpCustomers(rho), customers };
  const observations = Array.from({ length: replications }, (_, i) =>
    model.simulate(rho, run, random.fork(`replication ${i}`)),
  );
  const { mean, halfWidth } = controlledMean(
    observations.map((observation) => observation.meanSojournNs),
    observations.map((observation) => observation.controls),
    0.99,
  );
  return { meanNs: mean, halfWidthNs: halfWidth, observations };
}

/** Some ten relaxation times of the queue, which grow as 1 / (1 - rho)^2. */
function warmUpCustomers(rho: number): number {
  return Math.ceil(100 / ((1 - rho) * (1 - rho)));
}
