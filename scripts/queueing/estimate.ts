import { RandomStream } from "../../src/core/random.ts";
import { mean, slope } from "../../src/core/statistics.ts";
import { studentT } from "../../src/core/student-t.ts";
import type { QueueingCase } from "./cases.ts";
import { type Observation, serviceNs } from "./observation.ts";

export interface Estimate {
  readonly meanNs: number;
  /** Of the 99 % confidence interval. */
  readonly halfWidthNs: number;
  readonly observations: readonly Observation[];
}

/**
 * Mean time in system over independent replications. The load that each replication happened to draw, mean service
 * over mean interarrival time relative to what the model prescribes, serves as a control variate (Lavenberg and Welch
 * 1981): its expectation is known, and at high utilisation it explains about half of the variance.
 */
export function estimate(
  model: QueueingCase,
  rho: number,
  replications: number,
  customers: number,
  random: RandomStream,
): Estimate {
  const run = { warmUp: warmUpCustomers(model, rho), customers };
  const observations = Array.from({ length: replications }, (_, i) =>
    model.simulate(rho, run, random.fork(`replication ${i}`)),
  );
  const interarrivalNs = (serviceNs * model.visits) / (model.servers * rho);
  const serviceSumNs = serviceNs * model.visits;
  const excess = observations.map((o) => o.meanServiceNs / serviceSumNs - o.meanInterarrivalNs / interarrivalNs);
  const sojourns = observations.map((o) => o.meanSojournNs);
  const beta = slope(excess, sojourns);
  const meanExcess = mean(excess);
  const meanNs = mean(sojourns) - beta * meanExcess;
  const residuals = sojourns.map((sojourn, i) => sojourn - meanNs - beta * (excess[i] ?? NaN));
  const variance = residuals.reduce((sum, r) => sum + r * r, 0) / (replications - 2);
  const spread = excess.reduce((sum, x) => sum + (x - meanExcess) * (x - meanExcess), 0);
  const standardError = Math.sqrt(variance * (1 / replications + (meanExcess * meanExcess) / spread));
  return { meanNs, halfWidthNs: studentT(replications - 2, 0.99) * standardError, observations };
}

/** Some ten relaxation times of the queue, which grow as 1 / (1 - rho)^2. */
function warmUpCustomers(model: QueueingCase, rho: number): number {
  return Math.ceil((100 * model.servers) / ((1 - rho) * (1 - rho)));
}
