import { formatNumber } from "../../core/units.ts";
import type { PoolConfig } from "../../sim/config.ts";
import { devicesOf } from "../../sim/mapping.ts";
import type { PlanQuestion } from "../space/question.ts";
import type { Bound } from "./bound.ts";
import { outputFlops, peakFlops, promptFlops } from "./roofline.ts";

/**
 * The arithmetic of all requests against the peak of all devices: a deployment that lacks FLOP/s for the load is overloaded. Prompts
 * count where none of their prefixes may be cached. A closed loop has no load to keep up with, nor has the question for the largest
 * rate. Where hosts compute too, or some requests may be rejected, nothing is bounded.
 */
export const loadBound: Bound = {
  name: "roofline",
  excludes: ({ plan, traffic }: PlanQuestion, pools: readonly PoolConfig[]) => {
    const { ratePerSecond, promptTokens, outputTokens, requests, mayReject } = traffic;
    if (ratePerSecond === null || mayReject || plan.objectives.includes("rate")) return null;
    if (pools.some(({ offload, host }) => offload !== null || host !== undefined)) return null;
    const [{ model }] = pools as [PoolConfig];
    const prompt = requests.prefix === null ? promptFlops(model, Math.max(1, Math.floor(promptTokens))) : 0;
    const needed = ratePerSecond * (prompt + Math.max(0, outputTokens - 1) * outputFlops(model, 1));
    const there = pools.reduce((sum, pool) => sum + pool.replicas * devicesOf(pool.mapping) * peakFlops(pool), 0);
    if (needed <= there) return null;
    return `the load needs ${formatNumber(needed / 1e12, 3)} TFLOP/s, the devices have ${formatNumber(there / 1e12, 3)} at their peak`;
  },
};
