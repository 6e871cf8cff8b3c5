import { z } from "zod";
import { defaultsOf } from "../../core/parameters.ts";
import { contiguous } from "./contiguous.ts";
import { crossTrafficBound } from "./cross-traffic.ts";
import { affinityStart } from "./exflow.ts";
import { grace } from "./grace.ts";
import {
  copiesMost,
  copyHottest,
  isAllowed,
  LayerCopies,
  type LayerRanks,
  packCopies,
  relieveBusiest,
  usablePlaces,
} from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import { LayerSearch } from "./layer-search.ts";
import { lpt } from "./lpt.ts";
import type { PlacementInput, PlacementNeed, PlacementPolicy } from "./placement.ts";
import { checkPlacementInput, copiesByRank, layerLoads, placementFromCopies } from "./placement-input.ts";
import { type GoalWeights, goalScale, goalSum, placementGoals } from "./placement-objective.ts";

const weight = (standard: number) => z.number().min(0).max(1e6).default(standard);
const parameters = {
  load: weight(1).describe("Weight of the busiest rank over the mean."),
  traffic: weight(0).describe("Weight of the mean distance between a token's experts of consecutive layers."),
  spread: weight(0).describe("Weight of the mean distance between the experts that a token chooses in a layer."),
  migrations: weight(0).describe(
    "Weight of the copies that ranks receive, over all experts; needs a placement in use.",
  ),
  further: weight(0).describe("Weight of copies beyond one of each expert, over all experts."),
  rounds: z.int().min(0).max(1000).default(8).describe("Most sweeps over all layers."),
};

/**
 * Local search for a weighted sum of goals: balanced load, short ways from layer to layer, few ranks a token, few migrations, few
 * copies. It starts from the best of what other policies make, and is never worse than that. Layers are improved one after the other
 * while all others stay, by exchanges, moves, further and dropped copies. The bound counts load and traffic alone, each by itself.
 */
export const search: PlacementPolicy<typeof parameters> = {
  name: "search",
  rule: "local search from the best start for a weighted sum of load, traffic, spread, migrations and copies",
  parameters,
  needs: ["loads"],
  alsoNeeds: ({ traffic, spread, migrations }) => [
    ...(traffic > 0 ? (["transitions"] as const) : []),
    ...(spread > 0 ? (["pairs"] as const) : []),
    ...(migrations > 0 ? (["previous"] satisfies PlacementNeed[]) : []),
  ],
  makesCopies: true,
  contradiction: ({ load, traffic, spread, migrations, further }) =>
    load + traffic + spread + migrations + further > 0 ? null : { key: "load", expected: "a weight above 0" },
  place: (given, { rounds, ...weights } = defaultsOf(parameters), tools) => {
    checkPlacementInput(given);
    const input = { ...given, twins: given.twins ?? false };
    const ranks = layerRanks(input, false);
    const scale = goalScale(input);
    const layers = bestStart(input, ranks, weights);
    for (let round = 0; round < rounds; round++) {
      let gained = 0;
      for (const layer of layers.keys()) gained += new LayerSearch(input, layers, layer, weights, scale).improve();
      if (gained <= 1e-9) break;
    }
    const objective = goalSum(placementGoals(input, layers), weights);
    const bound = Math.min(objective, lowerBound(input, ranks, weights));
    const gap = objective === bound ? 0 : (objective - bound) / objective;
    tools.prove({
      problem: `weighted goals (${Object.entries(weights)
        .filter(([, value]) => value > 0)
        .map(([name, value]) => `${value} ${name}`)
        .join(", ")})`,
      objective,
      bound,
      gap,
      proved: gap <= 1e-4,
      solver: "local search",
      cut: false,
    });
    return placementFromCopies(input, (layer) => layers[layer]!.byRank);
  },
};

/** [layers] copies of the best start by the weighted goals. */
export function bestStart(input: PlacementInput, ranks: readonly LayerRanks[], weights: GoalWeights): LayerCopies[] {
  const starts = [contiguous.place(input), lpt.place(input)];
  if (weights.traffic > 0) starts.push(affinityStart(input));
  if (weights.spread > 0 && input.ranks % input.nodes === 0) starts.push(grace.place(input));
  const all = starts.map((placement) =>
    ranks.map((on, layer) => new LayerCopies(layerLoads(input, layer), on, copiesByRank(placement, layer))),
  );
  all.push(
    ranks.map((on, layer) => {
      const loads = layerLoads(input, layer);
      const copies = packCopies(loads, copyHottest(loads, on, usablePlaces(on, input.experts)), on);
      relieveBusiest(copies);
      return copies;
    }),
  );
  const { previous = null } = input;
  if (previous !== null) {
    const kept = ranks.map((on, layer) => new LayerCopies(layerLoads(input, layer), on, copiesByRank(previous, layer)));
    if (kept.every(isAllowed)) all.push(kept);
  }
  let best = all[0]!;
  let least = Infinity;
  for (const layers of all) {
    const value = goalSum(placementGoals(input, layers), weights);
    if (value >= least) continue;
    least = value;
    best = layers;
  }
  return best;
}

/** No placement has less: a mean rank or the hottest expert's copies decide the load, one copy each the traffic. */
function lowerBound(input: PlacementInput, ranks: readonly LayerRanks[], weights: GoalWeights): number {
  const scale = goalScale(input);
  const { experts } = input;
  let load = 0;
  let singles = true;
  for (const [layer, on] of ranks.entries()) {
    const loads = layerLoads(input, layer);
    const spare = usablePlaces(on, experts) - experts;
    if (spare > 0) singles = false;
    const fastest = Math.max(...Array.from(on.speeds));
    const speed = Array.from(on.speeds).reduce((sum, of) => sum + of, 0);
    const mean = loads.reduce((sum, of) => sum + of, 0) / speed;
    load += Math.max(mean, Math.max(...loads) / Math.min(copiesMost(on), 1 + spare) / fastest);
  }
  const rooms = Uint16Array.from(ranks.flatMap(({ rooms: of }) => Array.from(of)));
  const traffic = singles && weights.traffic > 0 ? crossTrafficBound(input, rooms) : 0;
  return (
    (scale.meanBusy === 0 ? 0 : (weights.load * load) / scale.meanBusy) +
    (scale.transitions === 0 ? 0 : (weights.traffic * traffic) / scale.transitions)
  );
}
