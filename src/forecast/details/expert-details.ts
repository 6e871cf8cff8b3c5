import { contiguousMap } from "../../policy/placement/contiguous.ts";
import { noExpert, type Placement } from "../../policy/placement/placement.ts";
import { exchangesTokens } from "../../sim/mapping.ts";
import type { MeanCourseResult } from "../../sim/outcome/mean-course.ts";
import type { Pool } from "../../sim/pool.ts";
import { dispatchValueBytes } from "../../sim/step/dispatch-bytes.ts";
import { moeLayers } from "../../sim/step/stage-plan.ts";
import { type PlacedBalance, placedBalances } from "./placed-balance.ts";

/** What the routed experts of a pool did over a run, by MoE layer. */
export interface ExpertDetails {
  /** Of the pool; empty for the only one. */
  readonly pool: string;
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  /** Steps with at least one token. */
  readonly steps: number;
  /** [layers][experts] tokens that chose the expert. */
  readonly uses: Float64Array;
  /** [layers][experts] copies under the placement that the run began with, and [layers][ranks] those on each rank. */
  readonly copies: Uint16Array;
  readonly rankCopies: Uint16Array;
  /** Whether experts were placed anew while the pool served. */
  readonly placedAnew: boolean;
  /** [layers][ranks] (token, expert) pairs, and experts or copies touched, summed over steps. Ranks of all copies of the set of experts. */
  readonly rankPairs: Float64Array;
  readonly rankDistinct: Float64Array;
  /** Bytes of a token on its way to an expert; null where none are sent, because every rank has or gathers all. */
  readonly pairBytes: number | null;
  /** [layers] mean over steps of the heaviest rank over the mean rank. */
  readonly imbalance: readonly number[];
  /** The mean of that over layers: steps (`weights`) and its sum over them (`amounts`), over time. */
  readonly course: MeanCourseResult;
  /** The placement that the run began with, then others, on the uses of this run; none with one rank, or where they were not compared. */
  readonly placements: readonly PlacedBalance[];
}

/** null for a pool whose routing is not replayed. `compared`: whether placements are, which takes as long as to make them. */
export function expertDetails({ config, experts }: Pool, compared = true): ExpertDetails | null {
  const { replay, loads, rebalances } = experts;
  const { routing, mapping } = config;
  if (routing.kind !== "replay" || replay === null || loads === null) return null;
  const count = routing.table.experts;
  const layers = routing.layerMap.length;
  const recorded = replay.expertUses();
  const uses = new Float64Array(layers * count);
  for (const [layer, from] of routing.layerMap.entries())
    uses.set(recorded.subarray(from * count, (from + 1) * count), layer * count);
  const [moe] = moeLayers(config.model);
  const placement = config.placement ?? contiguousMap(layers, moe!.experts, mapping.ep);
  return {
    pool: config.name ?? "",
    layers,
    experts: count,
    ranks: mapping.ep * mapping.edp,
    steps: loads.steps,
    uses,
    ...copiesOf(placement, count, mapping.edp),
    placedAnew: rebalances.length > 0,
    rankPairs: loads.rankPairs.slice(),
    rankDistinct: loads.rankDistinct.slice(),
    pairBytes: exchangesTokens(mapping) ? moe!.expertHidden * dispatchValueBytes(config) : null,
    imbalance: loads.layers(new Array<number>(layers).fill(1)).map(({ imbalance }) => imbalance),
    course: loads.course.result(),
    placements: compared && mapping.ep > 1 ? placedBalances(placement, uses) : [],
  };
}

/** Copies of each expert in all groups of ranks, and those on each rank. */
function copiesOf(
  { layers, ranks, physicalExpertsPerRank, logicalExperts }: Placement,
  experts: number,
  groups: number,
): Pick<ExpertDetails, "copies" | "rankCopies"> {
  const copies = new Uint16Array(layers * experts);
  const rankCopies = new Uint16Array(layers * ranks * groups);
  for (const [i, expert] of logicalExperts.entries()) {
    if (expert === noExpert) continue;
    const place = Math.floor(i / physicalExpertsPerRank);
    const layer = Math.floor(place / ranks);
    copies[layer * experts + expert]! += groups;
    for (let group = 0; group < groups; group++) rankCopies[(layer * groups + group) * ranks + (place % ranks)]!++;
  }
  return { copies, rankCopies };
}
