import type { Node } from "../hardware/device.ts";
import type { ModelSpec } from "../models/spec.ts";
import { expertGroupRanks, type Mapping, mappingProblems, moeShape, stageRanks } from "./mapping.ts";
import { nodeProblems, reachOf } from "./mapping-over-nodes.ts";

const divisorsOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

/** Every way to write `n` as a product of `factors` whole numbers, in ascending order of the first, the second and so on. */
function* productsOf(n: number, factors: number): Generator<readonly number[]> {
  if (factors === 1) {
    yield [n];
    return;
  }
  for (const first of divisorsOf(n)) for (const rest of productsOf(n / first, factors - 1)) yield [first, ...rest];
}

/**
 * Every mapping of a model over exactly `devices` devices of such nodes, in ascending order of pp, tp, cp, dp, then etp, ep, edp.
 * Attention and experts are divided independently of each other and share the pipeline stages alone (MoE Parallel Folding,
 * arXiv 2504.14960). Left out is what no engine divides and what is not simulated; what one engine refuses is not.
 */
export function* mappingsOf(model: ModelSpec, node: Node, devices: number): Generator<Mapping> {
  const hasExperts = moeShape(model) !== null;
  for (const [pp, tp, cp, dp] of productsOf(devices, 4) as Generator<[number, number, number, number]>) {
    const experts = hasExperts ? productsOf(devices / pp, 3) : [[1, 1, 1]];
    for (const [etp, ep, edp] of experts as Iterable<[number, number, number]>) {
      const mapping: Mapping = { tp, cp, dp, pp, ep, etp, edp };
      if (mappingProblems(mapping, model).length === 0 && nodeProblems(mapping, node).length === 0) yield mapping;
    }
  }
}

/**
 * Whether the mapping needs folding: without it tensor parallelism is the same for attention and experts, and a group of expert
 * ranks lies among data-parallel ranks alone.
 */
export const isFolded = ({ tp, dp, ep, etp, edp }: Mapping): boolean =>
  ep * etp * edp > 1 && (etp !== tp || dp % ep !== 0);

/**
 * The fewest devices that hold the same degrees without folding: expert ranks among as many data-parallel ranks, each of tp x cp devices,
 * with experts divided as attention is.
 */
export function unfoldedDevices({ tp, cp, dp, pp, ep, etp }: Mapping): number {
  return Math.max(tp, etp) * cp * Math.ceil(dp / ep) * ep * pp;
}

/** Domains of devices in reach of each other that one copy of the experts lies in. */
export function expertDomains(mapping: Mapping, node: Node): number {
  const ranks = expertGroupRanks(mapping);
  const reach = reachOf(node);
  return ranks <= reach && (reach % ranks === 0 || stageRanks(mapping) <= reach) ? 1 : Math.ceil(ranks / reach);
}
