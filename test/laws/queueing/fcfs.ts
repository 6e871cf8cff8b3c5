import { EventQueue } from "../../../src/core/event-queue.ts";
import type { RandomStream } from "../../../src/core/random.ts";
import { Line } from "./line.ts";
import { type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
import type { ServiceTime } from "./service.ts";

const arrival = 0;
const departure = 1;

/** Poisson arrivals to `servers` equal servers that serve in order of arrival: M/M/1, M/D/1, M/G/1, M/M/c. */
export function simulateFcfs(
  servers: number,
  service: ServiceTime,
  rho: number,
  run: RunLength,
  random: RandomStream,
): Observation {
  const arrivals = random.fork("arrivals");
  const services = random.fork("services");
  const interarrivalNs = serviceNs / (servers * rho);
  const queue = new EventQueue();
  const observer = new Observer(run, 2);
  const waiting = new Line();
  const inService = new Float64Array(servers);
  const free = Array.from({ length: servers }, (_, server) => server);
  let served = 0;

  const scheduleArrival = () => {
    const gap = arrivals.exponential();
    observer.drew(0, observer.arrived, gap - 1, waiting.length);
    queue.push(queue.atNs + Math.round(gap * interarrivalNs), 0, arrival, 0);
  };
  const serve = (server: number, arrivedNs: number) => {
    const work = service.draw(services);
    observer.drew(1, served++, work - 1, waiting.length);
    const workNs = Math.round(work * serviceNs);
    observer.bring(workNs);
    observer.work(queue.atNs, 1);
    inService[server] = arrivedNs;
    queue.push(queue.atNs + workNs, 0, departure, server);
  };

  scheduleArrival();
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      observer.arrive(nowNs);
      const server = free.pop();
      if (server === undefined) waiting.put(nowNs);
      else serve(server, nowNs);
      if (observer.expectsMore) scheduleArrival();
    } else {
      const server = queue.payload;
      observer.work(nowNs, -1);
      observer.depart(nowNs, inService[server]!);
      if (waiting.length > 0) serve(server, waiting.take());
      else free.push(server);
    }
  }
  return observer.observation();
}
