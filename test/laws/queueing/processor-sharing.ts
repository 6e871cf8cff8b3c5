import { EventQueue } from "../../../src/core/event-queue.ts";
import type { RandomStream } from "../../../src/core/random.ts";
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
  const observer = new Observer(run, 2);
  let attainedNs = 0;
  let lastNs = 0;
  let plannedDeparture = 0;

  const attain = () => {
    if (leaving.size > 0) attainedNs += (queue.atNs - lastNs) / leaving.size;
    lastNs = queue.atNs;
  };
  const scheduleArrival = () => {
    const gap = arrivals.exponential();
    observer.drew(0, observer.arrived, gap - 1, leaving.size);
    queue.push(queue.atNs + Math.round(gap * interarrivalNs), 0, arrival, 0);
  };
  const scheduleDeparture = () => {
    const remainingNs = Math.max(0, leaving.peekNs() - attainedNs) * leaving.size;
    queue.push(queue.atNs + Math.round(remainingNs), 0, departure, ++plannedDeparture);
  };

  scheduleArrival();
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      attain();
      const work = service.draw(services);
      observer.drew(1, observer.arrived, work - 1, leaving.size);
      const workNs = Math.round(work * serviceNs);
      observer.bring(workNs);
      observer.arrive(nowNs);
      if (leaving.size === 0) observer.work(nowNs, 1);
      leaving.push(Math.max(leaving.atNs, Math.round(attainedNs + workNs)), 0, 0, nowNs);
      if (observer.expectsMore) scheduleArrival();
      scheduleDeparture();
    } else if (queue.payload === plannedDeparture) {
      attain();
      leaving.pop();
      attainedNs = leaving.atNs;
      observer.depart(nowNs, leaving.payload);
      if (leaving.size === 0) observer.work(nowNs, -1);
      else scheduleDeparture();
    }
  }
  return observer.observation();
}
