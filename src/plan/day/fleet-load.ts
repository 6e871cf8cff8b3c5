import { devicesOfPool, poolsOf, type SimConfig } from "../../sim/config.ts";
import type { RequestRows, RunResult } from "../../sim/result.ts";

/** What a pool of a static fleet had to do at its busiest. */
export interface PoolLoad {
  /** Replicas of the fleet. */
  readonly replicas: number;
  /** Tokens that arrived per second in each window of the day, and the most of them. */
  readonly tokensPerSecond: Float64Array;
  readonly peakTokensPerSecond: number;
  /** Most requests that were there at a time, on average over a window; and those that waited for their first step. */
  readonly peakRequests: number;
  readonly peakWaiting: number;
  /** Largest share of the KV cache in use. */
  readonly peakKvUse: number;
}

/**
 * The load of each pool of a run with static replicas, in windows of `windowNs`. Prompts are a `prefill` pool's work, from arrival to
 * first token; all tokens that of a `decode` pool, from first token to last. Pools that share prompts are given them by their devices.
 */
export function fleetLoad(
  config: SimConfig,
  { requests: rows, pools, endNs }: RunResult,
  windowNs: number,
): PoolLoad[] {
  const configs = poolsOf(config);
  const count = Math.max(1, Math.ceil(endNs / windowNs));
  const poolOfReplica = configs.flatMap(({ replicas }, pool) => Array.from({ length: replicas }, () => pool));
  const prefill = configs.filter(({ role }) => role === "prefill");
  const prefillDevices = prefill.reduce((sum, pool) => sum + devicesOfPool(pool), 0);
  return configs.map((pool, index) => {
    const { role = "both" } = pool;
    const tokens = new Float64Array(count);
    const present = new Float64Array(count);
    const waiting = new Float64Array(count);
    const share = role === "prefill" ? devicesOfPool(pool) / prefillDevices : 1;
    for (let request = 0; request < rows.count; request++) {
      if (Number.isNaN(rows.firstTokenNs[request]!)) continue;
      if (role !== "prefill" && poolOfReplica[rows.replicaOf[request]!] !== index) continue;
      const { fromNs, toNs, work } = stayOf(rows, role, request);
      tokens[Math.min(count - 1, Math.floor(rows.arrivalNs[request]! / windowNs))]! += share * work;
      addSpan(present, windowNs, fromNs, toNs, share);
      if (role !== "decode") addSpan(waiting, windowNs, fromNs, rows.scheduledNs[request]!, share);
    }
    const tokensPerSecond = tokens.map((sum) => (sum / windowNs) * 1e9);
    const { blocks, peakBlocks } = pools[index]!.kv;
    return {
      replicas: pool.replicas,
      tokensPerSecond,
      peakTokensPerSecond: most(tokensPerSecond),
      peakRequests: most(present) / windowNs,
      peakWaiting: most(waiting) / windowNs,
      peakKvUse: blocks > 0 ? peakBlocks / blocks : 0,
    };
  });
}

/** When a request is in a pool, and its tokens there. */
function stayOf(rows: RequestRows, role: string, request: number) {
  const arrivalNs = rows.arrivalNs[request]!;
  const firstNs = rows.firstTokenNs[request]!;
  const prompt = rows.promptTokens[request]!;
  if (role === "prefill") return { fromNs: arrivalNs, toNs: firstNs, work: prompt };
  const fromNs = role === "decode" ? firstNs : arrivalNs;
  return { fromNs, toNs: rows.lastTokenNs[request]!, work: prompt + rows.outputTokens[request]! };
}

/** Adds the part of a span that lies in each window, ns. */
function addSpan(windows: Float64Array, windowNs: number, fromNs: number, toNs: number, share: number): void {
  for (let i = Math.floor(fromNs / windowNs); i < windows.length && i * windowNs < toNs; i++)
    windows[i]! += share * (Math.min(toNs, (i + 1) * windowNs) - Math.max(fromNs, i * windowNs));
}

const most = (values: Float64Array): number => values.reduce((high, value) => Math.max(high, value), 0);
