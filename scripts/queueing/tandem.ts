import { EventQueue } from "../../src/core/event-queue.ts";
import type { RandomStream } from "../../src/core/random.ts";
import { Line } from "./line.ts";
import { type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
import type { ServiceTime } from "./service.ts";

const arrival = 0;
const serviceEnd = 1;

/**
 * Poisson arrivals that pass through `stations` single-server queues one after another; by the product form each is an
 * M/M/1 queue when service is exponential. Customers cannot overtake, so those who leave first arrived first.
 */
export function simulateTandem(
  stations: number,
  service: ServiceTime,
  rho: number,
  run: RunLength,
  random: RandomStream,
): Observation {
  const arrivals = random.fork("arrivals");
  const services = Array.from({ length: stations }, (_, station) => random.fork(`service ${station}`));
  const interarrivalNs = serviceNs / rho;
  const queue = new EventQueue();
  const observer = new Observer(run, 2 * stations);
  const inSystem = new Line();
  const atStation = new Float64Array(stations);
  const served = new Float64Array(stations);

  /** A draw feeds one station and drains another; both numbers present are states worth multiplying with. */
  const report = (drained: number, customer: number, surplus: number) => {
    if (drained >= 0) observer.drew(2 * drained, customer, surplus, atStation[drained]!);
    if (drained + 1 < stations) observer.drew(2 * drained + 3, customer, surplus, atStation[drained + 1]!);
  };
  const scheduleArrival = () => {
    const gap = arrivals.exponential();
    observer.drew(1, observer.arrived, gap - 1, atStation[0]!);
    queue.push(queue.atNs + Math.round(gap * interarrivalNs), 0, arrival, 0);
  };
  const serve = (station: number) => {
    const work = service.draw(services[station]!);
    report(station, served[station]!++, work - 1);
    const workNs = Math.round(work * serviceNs);
    observer.bring(workNs);
    observer.work(queue.atNs, 1);
    queue.push(queue.atNs + workNs, 0, serviceEnd, station);
  };
  const enter = (station: number) => {
    if (atStation[station]!++ === 0) serve(station);
  };

  scheduleArrival();
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      observer.arrive(nowNs);
      inSystem.put(nowNs);
      enter(0);
      if (observer.expectsMore) scheduleArrival();
    } else {
      const station = queue.payload;
      observer.work(nowNs, -1);
      if (--atStation[station]! > 0) serve(station);
      if (station + 1 < stations) enter(station + 1);
      else observer.depart(nowNs, inSystem.take());
    }
  }
  return observer.observation();
}
