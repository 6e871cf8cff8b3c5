import { InfeasibleError } from "../../core/errors.ts";
import type { SimConfig } from "../../sim/config.ts";
import { type RunResult, requestStatus, type TimeComponent } from "../../sim/result.ts";
import { simulate } from "../../sim/simulate.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { type RequestWait, requestWait } from "./request-wait.ts";

/** What a simulated closed loop shows, as a benchmark would report it. */
export interface PointPrediction {
  /** Means over requests, ms; TTFT counts the burst at the start as one of the waves. */
  readonly ttftMs: number;
  readonly tpotMs: number;
  /** Requests waited longer for a place or for the prompts of others than they were prefilled: their TTFT is queueing. */
  readonly saturated: boolean;
  /** What they waited for. */
  readonly wait: RequestWait;
  /** Share of step time that is spent waiting for experts. */
  readonly fetchShare: number;
  /** Largest component of step time and its share. */
  readonly largest: { readonly component: TimeComponent; readonly share: number };
}

/**
 * Benchmarks that do not state it send this many requests per client; the first of each client arrive together and wait
 * for one another's prefill. The simulation runs fewer waves and weighs the first one down to the same share.
 */
export const burstWaves = 10;

/** Requests that each client of a measured point sent. */
export const requestsPerClient = ({ requests, concurrency }: Pick<ServingPoint, "requests" | "concurrency">): number =>
  requests === null ? burstWaves : requests / concurrency;

/**
 * Simulates a closed loop, in which every client sends `rounds` requests. Throws InfeasibleError where the
 * deployment, or a request, does not fit.
 */
export function predictPoint(config: SimConfig, rounds = burstWaves): PointPrediction {
  const { workload } = config;
  if (workload.kind !== "closed") throw new Error("a point is a closed loop");
  const run = simulate(config);
  const { requests } = run;
  // What was refused has no times; a benchmark would have failed.
  if (requests.status.includes(requestStatus.rejected))
    throw new InfeasibleError(
      `prompt and output are longer than the context of ${config.model.id} or than the KV cache holds`,
    );
  const clients = Math.min(workload.concurrency, requests.count);
  const first = meansOf(requests, 0, clients);
  // The last wave drains: its requests see fewer and fewer others, as one wave of many would in a benchmark.
  const steadyEnd = Math.max(clients, requests.count - clients);
  const later = steadyEnd > clients ? meansOf(requests, clients, steadyEnd) : first;
  const total = Object.values(run.time).reduce((sum, ns) => sum + ns, 0);
  const [component, ns] = (Object.entries(run.time) as [TimeComponent, number][]).reduce((a, b) =>
    b[1] > a[1] ? b : a,
  );
  const wait = requestWait(run, clients, config);
  return {
    ttftMs: (first.ttftMs + Math.max(0, rounds - 1) * later.ttftMs) / Math.max(1, rounds),
    tpotMs: later.tpotMs,
    saturated: wait !== "none",
    wait,
    fetchShare: run.time.expertFetch / total,
    largest: { component, share: ns / total },
  };
}

function meansOf(rows: RunResult["requests"], from: number, to: number): { ttftMs: number; tpotMs: number } {
  let ttft = 0;
  let tpot = 0;
  for (let i = from; i < to; i++) {
    ttft += rows.firstTokenNs[i]! - rows.arrivalNs[i]!;
    tpot += (rows.lastTokenNs[i]! - rows.firstTokenNs[i]!) / Math.max(1, rows.outputTokens[i]! - 1);
  }
  return { ttftMs: ttft / (to - from) / 1e6, tpotMs: tpot / (to - from) / 1e6 };
}
