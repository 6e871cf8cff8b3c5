import { z } from "zod";
import { defaultsOf, type ParameterValues } from "../../core/parameters.ts";
import { LayerCopies } from "./layer-copies.ts";
import { layerRanks } from "./layer-ranks.ts";
import type { LivePlacementPolicy } from "./placement.ts";
import { checkPlacementInput, layerLoads, placementFromCopies } from "./placement-input.ts";
import { evenCounts } from "./rank-rooms.ts";

const positive = () => z.number().positive().max(1e30);
const parameters = {
  form: z
    .enum(["inference", "training"])
    .default("inference")
    .describe("Terms of a forward pass, or those of the published code: three products and four exchanges a step."),
  choices: positive().default(65536).describe("Choices of experts in a layer and step: tokens x experts of a token."),
  hidden: positive().default(2048).describe("Values of a token that is sent."),
  expand: positive().default(2).describe("Width of an expert over that of a token."),
  bandwidthGbps: positive().default(50).describe("Link that tokens and experts are sent over, Gb/s."),
  tflops: positive().default(11.5).describe("Rate of a worker, TFLOP/s."),
  bytes: positive().default(4).describe("Bytes of a value, of tokens and weights alike."),
};

/**
 * Shadowing of FasterMoE (PPoPP'22; laekov/fastmoe, `shadow_policy.py`): the hottest experts are sent to every rank as long as
 * what the next one saves in work and exchange is more than what sending its weights takes. The code stops at the first that
 * does not pay, and its defaults are kept. As a placement, the shadows stay: sending them in every step is what the rule counts,
 * and no time of the run. A rank without a place gets none.
 */
export const shadowing: LivePlacementPolicy<typeof parameters> = {
  name: "shadowing",
  rule: "FasterMoE: experts on every rank as long as their weights are sent faster than their tokens",
  parameters,
  needs: ["loads"],
  makesCopies: true,
  place: (input, values = defaultsOf(parameters)) => {
    checkPlacementInput(input);
    const ranks = layerRanks(input, false);
    return placementFromCopies(input, (layer) => {
      const loads = layerLoads(input, layer);
      const on = { ...ranks[layer]!, twins: false };
      const copies = new LayerCopies(loads, on);
      let expert = 0;
      for (const [rank, count] of evenCounts(on.rooms, input.experts).entries())
        for (let i = 0; i < count; i++) copies.add(expert++, rank);
      for (const shadow of shadowedExperts(loads, values))
        for (let rank = 0; rank < input.ranks; rank++) if (copies.fits(shadow, rank)) copies.add(shadow, rank);
      return copies.byRank;
    });
  },
};

/** Experts that pay, the hottest first. */
export function shadowedExperts(loads: ArrayLike<number>, values: ParameterValues<typeof parameters>): number[] {
  const { form, choices, hidden, expand, bandwidthGbps, tflops, bytes } = values;
  const sorted = Array.from({ length: loads.length }, (_, expert) => expert).sort(
    (a, b) => loads[b]! - loads[a]! || a - b,
  );
  const sum = sorted.reduce((total, expert) => total + loads[expert]!, 0);
  if (sum === 0) return [];
  const bytesPerSecond = (bandwidthGbps * 1e9) / 8;
  const parameterCount = 2 * expand * hidden * hidden;
  const sendToken = (hidden * bytes) / bytesPerSecond;
  const sendExpert = (parameterCount * bytes) / bytesPerSecond;
  const compute = (2 * parameterCount) / (tflops * 1e12);
  const [products, exchanges] = form === "training" ? [3, 4] : [1, 2];
  const perChoice = ((products * compute + exchanges * sendToken) * choices) / sum;
  let best = perChoice * loads[sorted[0]!]!;
  let shadows = 0;
  // With `shadows` experts on every rank, the hottest of the others decides how long the exchange and the work take.
  for (let next = 1; next < sorted.length; next++) {
    const cost = perChoice * loads[sorted[next]!]! + next * sendExpert;
    if (cost >= best) break;
    best = cost;
    shadows = next;
  }
  return sorted.slice(0, shadows);
}
