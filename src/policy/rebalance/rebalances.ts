import type { RebalancePolicy } from "./rebalance.ts";
import { sglang } from "./sglang.ts";
import { tensorrtLlm } from "./tensorrt-llm.ts";
import { vllm } from "./vllm.ts";

/** Ways to rebalance by the name a scenario uses. */
export const rebalances = { vllm, sglang, "tensorrt-llm": tensorrtLlm } as const satisfies Record<
  string,
  RebalancePolicy
>;

export type RebalanceName = keyof typeof rebalances;
