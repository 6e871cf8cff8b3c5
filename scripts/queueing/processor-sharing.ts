import { EventQueue } from "../../src/core/event-queue.ts";
import type { RandomStream } from "../../src/core/random.ts";
import { type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
import type { ServiceTime } from "./service.ts";

const arrival = 0;
const departure = 1;

/**
 * Poisson arrivals to one server that gives every customer present an equal share. The work that each has received is
 * kept as one attained-service clock that all share; a customer leaves when the clock reaches its value at arrival
 * plus the customer's work, so the next to leave heads a second event queue ordered by that value. A departure that an
 * arrival has put off stays in the first queue and is passed over when its turn comes.
 */
export function simulateProcessorSharing(
  service: ServiceTime,
  rho: number,
  run: RunLength,
  random: RandomStream,
): Observation {
  const arrivals = random.fork("arrivals");
  const services = random.fork("services");
  const interarrivalNs = serviceNs / rho;
  const queue = new EventQueue();
  const leaving = new EventQueue();
  const observer = new Observer(run);
  let attainedNs = 0;
  let lastNs = 0;
  let current = 0;
  let present = 0;

  const attain = () => {
    if (present > 0) attainedNs += (queue.atNs - lastNs) / present;
    lastNs = queue.atNs;
  };
  const scheduleDeparture = () => {
    if (leaving.size === 0) return;
    const remainingNs = Math.max(0, leaving.peekNs() - attainedNs);
    queue.push(queue.atNs + Math.round(remainingNs * present), 0, departure, ++current);
  };

  queue.push(Math.round(arrivals.exponential(interarrivalNs)), 0, arrival, 0);
  let arrived = 0;
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      attain();
      observer.arrived(nowNs);
      const workNs = Math.round(service.draw(services) * serviceNs);
      if (present++ === 0) observer.started(nowNs, workNs, arrived++);
      else observer.joined(workNs, arrived++);
      leaving.push(Math.max(leaving.atNs, Math.round(attainedNs + workNs)), 0, 0, nowNs);
      if (observer.expectsMore) queue.push(nowNs + Math.round(arrivals.exponential(interarrivalNs)), 0, arrival, 0);
      scheduleDeparture();
    } else if (queue.payload === current) {
      attain();
      leaving.pop();
      attainedNs = leaving.atNs;
      observer.departed(nowNs, leaving.payload);
      if (--present === 0) observer.finished(nowNs);
      scheduleDeparture();
    }
  }
  return observer.observation();
}
