import type { Node } from "../hardware/device.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertGroupRanks, type Mapping, mappingProblems, moeShape, stageRanks } from "../sim/mapping.ts";
import { nodeProblems } from "../sim/mapping-over-nodes.ts";

/** Another mapping of the same devices, and the settings that make it, as `--set` takes them. */
export interface MappingCandidate {
  readonly name: string;
  readonly mapping: Mapping;
  readonly set: readonly string[];
}

/**
 * Expert parallelism against tensor parallelism inside experts, on the devices that a scenario has and with its attention as it is:
 * every division of an expert group between `ep` and `etp`, from slices of all experts on every rank to whole experts. Then, with
 * `copies`, the same for every number of copies of the whole set. `placed`: the scenario places experts, which slices alone leave
 * nothing of; the candidates without expert ranks then drop the placement. Empty for a model without experts or one rank. Throws
 * nothing; what no engine divides or no node holds is left out.
 */
export function expertMappingCandidates(
  model: ModelSpec,
  node: Node,
  mapping: Mapping,
  { placed = false, copies = false }: { readonly placed?: boolean; readonly copies?: boolean } = {},
): MappingCandidate[] {
  if (moeShape(model) === null || stageRanks(mapping) === 1) return [];
  const all = copies ? stageRanks(mapping) : expertGroupRanks(mapping);
  const candidates: MappingCandidate[] = [];
  for (const edp of copies ? divisors(all) : [mapping.edp])
    for (const ep of divisors((copies ? all : all * mapping.edp) / edp)) {
      const other = { ...mapping, ep, edp, etp: stageRanks(mapping) / (ep * edp) };
      if (mappingProblems(other, model).length > 0 || nodeProblems(other, node).length > 0) continue;
      candidates.push({ name: nameOf(other), mapping: other, set: settingsOf(other, placed && ep === 1) });
    }
  return candidates;
}

const divisors = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

function nameOf({ ep, etp, edp }: Mapping): string {
  const group = ep === 1 ? (etp === 1 ? "all experts" : `TP${etp}`) : etp === 1 ? `EP${ep}` : `EP${ep} x TP${etp}`;
  return edp === 1 ? group : `${edp} copies of ${group}`;
}

const settingsOf = ({ ep, etp, edp }: Mapping, dropsPlacement: boolean): string[] => [
  `parallel.ep=${ep}`,
  `parallel.etp=${etp}`,
  `parallel.edp=${edp}`,
  ...(dropsPlacement ? ["policy.placement=null"] : []),
];
