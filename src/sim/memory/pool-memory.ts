import { CostModel } from "../../hardware/cost.ts";
import type { PoolConfig } from "../config.ts";
import { buildDraftCost } from "../step/draft-cost.ts";
import { StepCost } from "../step/step-cost.ts";
import { type MemoryPlan, planMemory } from "./memory-plan.ts";

/** The memory of a pool before anything runs. Throws InfeasibleError, with the whole sum, where it does not fit. */
export function poolMemory(config: PoolConfig): MemoryPlan {
  const { node, engine } = config;
  const operations = new CostModel(node.device, node, engine.id, engine.ownKernels ?? null);
  const cost = new StepCost(config, operations);
  const draft = buildDraftCost(config, operations, cost.windows);
  return planMemory(config, cost.attention, draft?.layers.attention ?? []);
}
