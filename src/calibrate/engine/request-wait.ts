import type { SimConfig } from "../../sim/config.ts";
import type { RunResult } from "../../sim/result.ts";

/**
 * What requests spend most of their TTFT waiting for: a place (KV blocks, a slot of the batch), the prompts of others, or
 * neither.
 */
export type RequestWait = "place" | "prompts" | "none";

/** The wait of the requests from `from` on, once they have been handled and the scheduler has looked. */
export function requestWait(run: RunResult, from: number, config: SimConfig): RequestWait {
  const { engine, scheduler } = config;
  const { requests: rows } = run;
  let queue = 0;
  let whole = 0;
  const perTokenNs = engine.promptTokenOverheadNs + engine.promptTokenDelayNs;
  const lookNs = (scheduler.recvInterval - (engine.schedulesAhead ? 0 : 1)) * (run.endNs / run.steps);
  for (let i = from; i < rows.count; i++) {
    const handledNs = engine.requestOverheadNs + perTokenNs * rows.promptTokens[i]!;
    queue += Math.max(0, rows.scheduledNs[i]! - rows.arrivalNs[i]! - handledNs - lookNs);
    whole += rows.firstTokenNs[i]! - rows.arrivalNs[i]!;
  }
  if (queue <= whole / 2) return "none";
  return wantsPlaces(run, config) ? "place" : "prompts";
}

/** KV blocks that count as taken: what is free is less than the next request needs. */
const fullShare = 0.9;

/** Whether the places of the batch or of the KV cache can be all taken. */
function wantsPlaces(run: RunResult, { mapping, replicas, scheduler, workload }: SimConfig): boolean {
  const slots = scheduler.maxSequences * mapping.dp * replicas;
  const clients = workload.kind === "closed" ? workload.concurrency : Number.POSITIVE_INFINITY;
  return clients > slots || run.kv.preemptions > 0 || run.kv.peakBlocks > fullShare * run.kv.blocks;
}
