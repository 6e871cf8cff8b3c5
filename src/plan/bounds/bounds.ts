import type { PoolConfig } from "../../sim/config.ts";
import type { PlanQuestion } from "../space/question.ts";
import type { Bound } from "./bound.ts";
import { latencyBound } from "./latency-bound.ts";
import { loadBound } from "./load-bound.ts";

const bounds: readonly Bound[] = [loadBound, latencyBound];

/** The first bound that excludes a deployment, with its reason; null: none does. */
export function excludedBy(
  question: PlanQuestion,
  pools: readonly PoolConfig[],
): { readonly bound: string; readonly reason: string } | null {
  for (const { name, excludes } of bounds) {
    const reason = excludes(question, pools);
    if (reason !== null) return { bound: name, reason };
  }
  return null;
}
