import { EventQueue } from "../../../src/core/event-queue.ts";
import type { RandomStream } from "../../../src/core/random.ts";
import { Resource } from "../../../src/core/resource.ts";
import { Line } from "./line.ts";
import { type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
import type { ServiceTime } from "./service.ts";

const arrival = 0;
const turn = 1;
const serviceEnd = 2;

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
  const observer = new Observer(run, 4 * stations);
  const inSystem = new Line();
  const resources = Array.from({ length: stations }, () => new Resource());
  const atStation = new Float64Array(stations);
  /** [station] work of those who wait. */
  const waiting = Array.from({ length: stations }, () => new Line());
  const served = new Float64Array(stations);

  // A service moves a customer out of the stations up to its own and into the next, an arrival into every such group:
  // these are the states to multiply the draws with.
  const upTo = (station: number) => {
    let total = 0;
    for (let k = 0; k <= station; k++) total += atStation[k]!;
    return total;
  };
  const scheduleArrival = () => {
    const gap = arrivals.exponential();
    for (let k = 0; k < stations; k++) observer.drew(k, observer.arrived, gap - 1, upTo(k));
    queue.push(queue.atNs + Math.round(gap * interarrivalNs), 0, arrival, 0);
  };
  const serve = (station: number, work: number) => {
    const customer = served[station]!++;
    const control = stations + 3 * station;
    observer.drew(control, customer, work - 1, upTo(station));
    observer.drew(control + 1, customer, work - 1, atStation[station]!);
    if (station + 1 < stations) observer.drew(control + 2, customer, work - 1, atStation[station + 1]!);
    observer.work(queue.atNs, 1);
  };
  const enter = (station: number) => {
    const nowNs = queue.atNs;
    atStation[station]!++;
    const work = service.draw(services[station]!);
    const workNs = Math.round(work * serviceNs);
    observer.bring(workNs);
    const resource = resources[station]!;
    const turnNs = resource.beginNs(nowNs);
    if (turnNs > nowNs) {
      waiting[station]!.put(work);
      queue.push(turnNs, 0, turn, station);
    } else serve(station, work);
    queue.push(resource.demand(nowNs, workNs, 0), 0, serviceEnd, station);
  };

  scheduleArrival();
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      observer.arrive(nowNs);
      inSystem.put(nowNs);
      enter(0);
      if (observer.expectsMore) scheduleArrival();
    } else if (queue.kind === turn) {
      serve(queue.payload, waiting[queue.payload]!.take());
    } else {
      const station = queue.payload;
      observer.work(nowNs, -1);
      atStation[station]!--;
      if (station + 1 < stations) enter(station + 1);
      else observer.depart(nowNs, inSystem.take());
    }
  }
  return observer.observation();
}
