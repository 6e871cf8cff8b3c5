import { RandomStream } from "../src/core/random.ts";
import type { LivePlacementPolicy, PlacementInput } from "../src/policy/placement/placement.ts";
import { placements } from "../src/policy/placement/placements.ts";
import { type BenchRow, medianOf } from "./bench.ts";

const layers = 58;
const experts = 256;

/**
 * Placements of the DeepSeek-V3 shape, 58 layers of 256 experts as 288 physical ones on 32 ranks, lognormal loads of sigma 0.8. Ratio to
 * `lpt`, which makes no copies.
 */
export async function bench(): Promise<BenchRow[]> {
  const draws = new RandomStream(1, "placement bench");
  const loads = Float64Array.from({ length: layers * experts }, () => Math.exp(0.8 * draws.normal()));
  const input: PlacementInput = {
    layers,
    experts,
    ranks: 32,
    nodes: 4,
    groups: 8,
    physicalExperts: 288,
    loads,
    windows: [loads],
    previous: null,
  };
  const global = { ...input, nodes: 1, groups: 1 };
  const millisecondsOf = (policy: LivePlacementPolicy, of: PlacementInput) =>
    medianOf(5, () => void policy.place(of)) * 1e3;
  const lpt = millisecondsOf(placements.lpt, global);
  const rows: [string, number][] = [
    ["lpt", lpt],
    ["eplb, global", millisecondsOf(placements.eplb, global)],
    ["eplb, hierarchical", millisecondsOf(placements.eplb, input)],
    ["eplb without twins", millisecondsOf(placements.eplb, { ...global, twins: false })],
    ["flashlb", millisecondsOf(placements.flashlb as LivePlacementPolicy, global)],
    ["swift", millisecondsOf(placements.swift as LivePlacementPolicy, global)],
  ];
  return rows.map(([name, value]) => ({
    name: `placement, ${name}`,
    value,
    unit: "ms",
    ratio: value / lpt,
    ratioTo: "lpt",
  }));
}
