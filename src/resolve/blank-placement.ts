import type { PlacementInput } from "../policy/placement/placement.ts";
import { expertGroupRanks } from "../sim/mapping.ts";
import { expertHomeNumbers } from "./placement-statistics.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** What a placement is of, before anything is known of the load: the layers that hold experts, their experts, and the ranks. */
export function blankPlacement(setting: PolicySetting, physicalExperts: number): PlacementInput {
  const { scenario, moe, mapping, model } = setting;
  const section = scenario.policy.placement;
  return {
    layers: Math.max(...expertHomeNumbers(model)) + 1,
    experts: moe.experts,
    ranks: mapping.ep,
    nodes: section?.nodes ?? nodesOf(setting),
    groups: section?.groups ?? moe.router.groups?.count ?? 1,
    physicalExperts,
    loads: null,
  };
}

/** Nodes of one stage's expert ranks; 1 where the stage fits one node or does not divide evenly. */
function nodesOf({ mapping, node }: PolicySetting): number {
  const nodes = Math.ceil(expertGroupRanks(mapping) / node.devicesPerNode);
  return mapping.ep % nodes === 0 ? nodes : 1;
}
