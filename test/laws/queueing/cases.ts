import type { RandomStream } from "../../../src/core/random.ts";
import { behindChunks, manyServersExponential, singleServerExponential, singleServerGeneral } from "./closed-forms.ts";
import { simulateFcfs } from "./fcfs.ts";
import { type Observation, type RunLength, serviceNs } from "./observation.ts";
import { simulateProcessorSharing } from "./processor-sharing.ts";
import { deterministic, exponential, hyperexponential } from "./service.ts";
import { simulateTandem } from "./tandem.ts";

/** A queueing model with a known mean time in system. */
export interface QueueingCase {
  /** Servers of all stations together. */
  readonly servers: number;
  /** Customers per replication of the long check, relative to M/M/1: some models leave more variance. */
  readonly effort: number;
  /** Whether customers share the server, so that departures round to whole nanoseconds. */
  readonly shared: boolean;
  exactNs(rho: number): number;
  simulate(rho: number, run: RunLength, random: RandomStream): Observation;
}

const skewed = hyperexponential(2);
const servers = 4;
const stations = 3;
/** Of background work. */
const chunkNs = serviceNs / 2;

export const queueingCases = {
  "M/M/1": {
    servers: 1,
    effort: 1,
    shared: false,
    exactNs: (rho) => singleServerExponential(serviceNs, rho),
    simulate: (rho, run, random) => simulateFcfs(1, exponential, 0, rho, run, random),
  },
  "M/D/1": {
    servers: 1,
    effort: 1,
    shared: false,
    exactNs: (rho) => singleServerGeneral(serviceNs, deterministic.squaredVariation, rho),
    simulate: (rho, run, random) => simulateFcfs(1, deterministic, 0, rho, run, random),
  },
  "M/M/4": {
    servers,
    effort: 1,
    shared: false,
    exactNs: (rho) => manyServersExponential(serviceNs, servers, rho),
    simulate: (rho, run, random) => simulateFcfs(servers, exponential, 0, rho, run, random),
  },
  "M/H2/1": {
    servers: 1,
    effort: 1,
    shared: false,
    exactNs: (rho) => singleServerGeneral(serviceNs, skewed.squaredVariation, rho),
    simulate: (rho, run, random) => simulateFcfs(1, skewed, 0, rho, run, random),
  },
  "M/M/1+bg": {
    servers: 1,
    effort: 1,
    shared: false,
    exactNs: (rho) => behindChunks(singleServerExponential(serviceNs, rho), chunkNs),
    simulate: (rho, run, random) => simulateFcfs(1, exponential, chunkNs, rho, run, random),
  },
  "M/D/1-PS": {
    servers: 1,
    effort: 1,
    shared: true,
    exactNs: (rho) => singleServerExponential(serviceNs, rho),
    simulate: (rho, run, random) => simulateProcessorSharing(deterministic, rho, run, random),
  },
  "M/H2/1-PS": {
    servers: 1,
    effort: 2,
    shared: true,
    exactNs: (rho) => singleServerExponential(serviceNs, rho),
    simulate: (rho, run, random) => simulateProcessorSharing(skewed, rho, run, random),
  },
  "tandem of 3": {
    servers: stations,
    effort: 2,
    shared: false,
    exactNs: (rho) => stations * singleServerExponential(serviceNs, rho),
    simulate: (rho, run, random) => simulateTandem(stations, exponential, rho, run, random),
  },
} satisfies Record<string, QueueingCase>;
