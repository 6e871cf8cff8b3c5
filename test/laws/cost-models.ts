import { engineIds, engineNamed } from "../../src/engine/catalogue.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import type { Node } from "../../src/hardware/device.ts";

/** Engines by id whose kernels take their time alone. */
const alone = new Map(engineIds.map((id) => [id, { ...engineNamed(id), kernelExcess: 1, prefillExcess: 1 }] as const));
export const timedAlone = (engine: string) => alone.get(engine)!;

const costs = new WeakMap<Node, Map<string, CostModel>>();

/** The cost model of a node under an engine: models and formats share one. */
export function costOf(node: Node, engine: string): CostModel {
  const byEngine = costs.get(node) ?? new Map<string, CostModel>();
  costs.set(node, byEngine);
  const cost = byEngine.get(engine) ?? new CostModel(node.device, node, engine);
  byEngine.set(engine, cost);
  return cost;
}
