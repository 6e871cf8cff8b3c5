import { EventQueue } from "../../src/core/event-queue.ts";
import type { RandomStream } from "../../src/core/random.ts";
import { Line, type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
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
  const observer = new Observer(run);
  const inSystem = new Line();
  const atStation = new Float64Array(stations);
  const served = new Float64Array(stations);

  const serve = (station: number) => {
    const workNs = Math.round(service.draw(services[station]!) * serviceNs);
    observer.started(queue.atNs, workNs, served[station]!++);
    queue.push(queue.atNs + workNs, 0, serviceEnd, station);
  };
  const enter = (station: number) => {
    if (atStation[station]!++ === 0) serve(station);
  };

  queue.push(Math.round(arrivals.exponential(interarrivalNs)), 0, arrival, 0);
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      observer.arrived(nowNs);
      inSystem.put(nowNs);
      if (observer.expectsMore) queue.push(nowNs + Math.round(arrivals.exponential(interarrivalNs)), 0, arrival, 0);
      enter(0);
    } else {
      const station = queue.payload;
      observer.finished(nowNs);
      if (--atStation[station]! > 0) serve(station);
      if (station + 1 < stations) enter(station + 1);
      else observer.departed(nowNs, inSystem.take());
    }
  }
  return observer.observation();
}
