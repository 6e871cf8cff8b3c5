import type { Link, Node } from "../hardware/device.ts";
import { transferNs } from "../hardware/link-transfer.ts";
import { noExpert, type Placement } from "../policy/placement/placement.ts";
import type { RankTopology } from "./rank-topology.ts";

/** What it takes to go from one placement to another while the engine runs. */
export interface MigrationCost {
  /** Copies of experts that a rank has to be sent. */
  readonly experts: number;
  /** Bytes over all links, of all devices. */
  readonly bytes: number;
  /** Time of the rank that sends or receives most, with nothing else on its links, ns; null where ranks have no link. */
  readonly ns: number | null;
}

/** Experts of the copies that a rank holds in a layer. */
function heldBy({ ranks, physicalExpertsPerRank: size, logicalExperts }: Placement, layer: number, rank: number) {
  const from = (layer * ranks + rank) * size;
  const held = new Set(logicalExperts.subarray(from, from + size));
  held.delete(noExpert);
  return held;
}

/**
 * Sends each expert that a rank lacks from a rank that has it: one of its node if there is one, among equals the one that has sent
 * least. `expertBytes`: of one expert on one device; all `devices` of a rank send theirs at the same time over links of their own.
 * `ownLayers`: the layers that hold experts; further visits of them have none of their own.
 */
export function migrationCost(
  from: Placement,
  to: Placement,
  { nodeOf, ranks }: RankTopology,
  { device }: Node,
  expertBytes: number,
  devices: number,
  ownLayers: readonly number[],
): MigrationCost {
  const near: Link | null = device.scaleUp ?? device.hostLink;
  const far = device.scaleOut;
  const sent = [new Float64Array(ranks), new Float64Array(ranks)] as const;
  const received = [new Float64Array(ranks), new Float64Array(ranks)] as const;
  let experts = 0;
  for (const layer of ownLayers) {
    const before = Array.from({ length: ranks }, (_, rank) => heldBy(from, layer, rank));
    for (let rank = 0; rank < ranks; rank++)
      for (const expert of heldBy(to, layer, rank)) {
        if (before[rank]!.has(expert)) continue;
        const source = sourceOf(expert, rank, before, nodeOf, sent);
        const link = nodeOf[source] === nodeOf[rank] ? 0 : 1;
        sent[link][source]! += expertBytes;
        received[link][rank]! += expertBytes;
        experts++;
      }
  }
  let ns: number | null = 0;
  for (const [at, link] of [near, far].entries()) {
    const most = Math.max(...sent[at]!, ...received[at]!);
    if (most > 0 && link === null) ns = null;
    else if (ns !== null && link !== null) ns = Math.max(ns, transferNs(link, most));
  }
  return { experts, bytes: experts * expertBytes * devices, ns };
}

function sourceOf(
  expert: number,
  rank: number,
  before: readonly ReadonlySet<number>[],
  nodeOf: readonly number[],
  sent: readonly [Float64Array, Float64Array],
): number {
  let best = -1;
  let bestFar = true;
  for (const [other, held] of before.entries()) {
    if (!held.has(expert)) continue;
    const isFar = nodeOf[other] !== nodeOf[rank];
    const load = sent[isFar ? 1 : 0][other]!;
    if (best < 0 || (bestFar && !isFar) || (bestFar === isFar && load < sent[isFar ? 1 : 0][best]!)) {
      best = other;
      bestFar = isFar;
    }
  }
  return best;
}
