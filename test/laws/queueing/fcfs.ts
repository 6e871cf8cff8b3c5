import { EventQueue } from "../../../src/core/event-queue.ts";
import { firstFree } from "../../../src/core/first-free.ts";
import type { RandomStream } from "../../../src/core/random.ts";
import { Resource } from "../../../src/core/resource.ts";
import { Line } from "./line.ts";
import { type Observation, Observer, type RunLength, serviceNs } from "./observation.ts";
import type { ServiceTime } from "./service.ts";

const arrival = 0;
const turn = 1;
const departure = 2;

/** More chunks of background work than any run has gaps for. */
const endless = 2 ** 52;

/**
 * Poisson arrivals to `servers` equal servers that serve in order of arrival: M/M/1, M/D/1, M/G/1, M/M/c. Every server
 * has endless background work in chunks of `chunkNs`, none if that is 0.
 */
export function simulateFcfs(
  servers: number,
  service: ServiceTime,
  chunkNs: number,
  rho: number,
  run: RunLength,
  random: RandomStream,
): Observation {
  const arrivals = random.fork("arrivals");
  const services = random.fork("services");
  const interarrivalNs = serviceNs / (servers * rho);
  const queue = new EventQueue();
  const observer = new Observer(run, 2);
  const resources = Array.from({ length: servers }, () => new Resource());
  if (chunkNs > 0) for (const resource of resources) resource.submit(0, endless, chunkNs, 0, 0);
  /** Work of those who wait: they get their turns in order of arrival. */
  const waiting = new Line();
  let served = 0;

  const scheduleArrival = () => {
    const gap = arrivals.exponential();
    observer.drew(0, observer.arrived, gap - 1, waiting.length);
    queue.push(queue.atNs + Math.round(gap * interarrivalNs), 0, arrival, 0);
  };
  const arrive = (nowNs: number) => {
    observer.arrive(nowNs);
    const work = service.draw(services);
    const workNs = Math.round(work * serviceNs);
    observer.bring(workNs);
    const resource = firstFree(resources, nowNs);
    const turnNs = resource.beginNs(nowNs);
    if (turnNs > nowNs) {
      waiting.put(work);
      queue.push(turnNs, 0, turn, 0);
    } else serve(work);
    queue.push(resource.demand(nowNs, workNs, 0), 0, departure, nowNs);
  };
  const serve = (work: number) => {
    observer.drew(1, served++, work - 1, waiting.length);
    observer.work(queue.atNs, 1);
  };

  scheduleArrival();
  while (queue.pop()) {
    if (queue.kind === arrival) {
      arrive(queue.atNs);
      if (observer.expectsMore) scheduleArrival();
    } else if (queue.kind === turn) serve(waiting.take());
    else {
      observer.work(queue.atNs, -1);
      observer.depart(queue.atNs, queue.payload);
    }
  }
  return observer.observation();
}
