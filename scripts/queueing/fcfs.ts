import { EventQueue } from "../../src/core/event-queue.ts";
import type { RandomStream } from "../../src/core/random.ts";
import { Line, type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
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
  const observer = new Observer(run);
  const waiting = new Line();
  const inService = new Float64Array(servers);
  const free = Array.from({ length: servers }, (_, server) => server);
  let served = 0;

  const serve = (server: number, arrivedNs: number) => {
    const workNs = Math.round(service.draw(services) * serviceNs);
    inService[server] = arrivedNs;
    observer.started(queue.atNs, workNs, served++);
    queue.push(queue.atNs + workNs, 0, departure, server);
  };

  queue.push(Math.round(arrivals.exponential(interarrivalNs)), 0, arrival, 0);
  while (queue.pop()) {
    const nowNs = queue.atNs;
    if (queue.kind === arrival) {
      observer.arrived(nowNs);
      if (observer.expectsMore) queue.push(nowNs + Math.round(arrivals.exponential(interarrivalNs)), 0, arrival, 0);
      const server = free.pop();
      if (server === undefined) waiting.put(nowNs);
      else serve(server, nowNs);
    } else {
      const server = queue.payload;
      observer.finished(nowNs);
      observer.departed(nowNs, inService[server]!);
      if (waiting.length > 0) serve(server, waiting.take());
      else free.push(server);
    }
  }
  return observer.observation();
}
