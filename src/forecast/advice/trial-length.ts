import type { SimConfig } from "../../sim/config.ts";
import type { Forecast } from "../forecast.ts";

/** A trial has this share of the run's requests, where that is enough. */
const share = 8;
/** Counted requests of a trial that is not cut short: a median needs twenty, and batches time to form. */
const countedMin = 32;
/** Requests of each client in a closed loop, at least: all of them begin at once, which one turn does not get over. */
const turns = 4;
/** Fewer requests than this say nothing. */
const requestsMin = 8;
/** Steps times layers of a trial, at most: about a second where routing is replayed. */
const layerStepsMax = 30_000;
/** Layers that a step costs where one layer stands for all like it. */
const layersAlike = 4;

/**
 * Requests of a trial. An eighth of the run's, more where few are counted or clients in a closed loop have yet to fill
 * the batch, fewer where steps are many; null where so few would finish in time that they say nothing.
 */
export function trialRequests(config: SimConfig, forecast: Pick<Forecast, "requests">, steps: number): number | null {
  const { workload, routing, model } = config;
  const { total, warmup } = forecast.requests;
  const clients = workload.kind === "closed" ? workload.concurrency : 0;
  const wanted = Math.min(total, Math.max(Math.ceil(total / share), warmup + countedMin, turns * clients));
  const layers = routing.kind === "uniform" ? layersAlike : model.layers.length;
  const affordable = Math.floor((total * layerStepsMax) / Math.max(1, steps * layers));
  const requests = Math.min(wanted, affordable);
  return requests >= Math.min(total, requestsMin) ? requests : null;
}

/** Steps after which a trial is given up: what a change makes so much slower does not help. */
export const trialStepsMax = (steps: number, requests: number, total: number): number =>
  Math.ceil((4 * steps * requests) / total) + 1000;
