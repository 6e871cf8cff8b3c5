import { loadRoutingTable } from "../../src/trace/load-routing.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { addCurves, hitRate, layerLruCurve } from "../../src/trace/stats/lru-curve.ts";
import { overlapAtLag } from "../../src/trace/stats/overlap.ts";
import { parametricRouting } from "../../src/trace/synthesis/parametric-routing.ts";
import { routingFamilies } from "../../src/trace/synthesis/routing-presets.ts";
import { arrangedByParts } from "../../src/trace/synthesis/sequence-parts.ts";
import type { CheckLine } from "./check-line.ts";
import { recordedRouting, routingFolders } from "./routing-tables.ts";

/** Largest allowed difference of overlap from the preset, and of LRU hits between recording and synthesis. */
const limits = { overlap: 0.02, hitRate: 0.04 };

const sets = [
  ["mixtral", "Mixtral", [1, 2, 3, 4, 6]],
  ["flame", "FLAME-MoE", [8, 16, 21, 32, 48]],
  ["qwen15", "Qwen1.5-MoE", [8, 15, 20, 30, 45]],
] as const;

/** Measures the presets' figures on the recordings behind them, and holds what they synthesise to the recorded LRU curve. */
export const routingPresetsCheck = {
  name: "routing-presets",
  folders: routingFolders,
  async run(folder: string): Promise<CheckLine[]> {
    const checks: CheckLine[] = [];
    const add = (name: string, expected: number, found: number, limit: number) =>
      checks.push({
        name,
        expected: `${expected.toFixed(3)} within ${limit}`,
        found: found.toFixed(3),
        ok: Math.abs(expected - found) <= limit,
      });
    for (const [set, familyName, slots] of sets) {
      const recorded = await recordedRouting[set](folder, (trace) => loadRoutingTable(trace));
      const family = routingFamilies.find(({ family }) => family === familyName);
      if (family === undefined) throw new Error(`no preset of ${familyName}`);
      const { experts, topK, popularityCv, reuse, laterReuse, fade } = family;
      const long = arrangedByParts(recorded, [{ domain: 0, sequences: longSequences(recorded) }]);
      const overlap = (lag: number) => meanOverLayers(long, lag);
      add(`${set}: reuse`, reuse.value, overlap(1), limits.overlap);
      add(`${set}: laterReuse`, laterReuse.value, (overlap(32) + overlap(64)) / 2, limits.overlap);
      const synthesised = parametricRouting({
        experts,
        topK,
        layers: 8,
        popularity: { popularityCv: popularityCv.value },
        reuse: reuse.value,
        laterReuse: laterReuse.value,
        fade: fade.value,
        sequenceTokens: Math.round(long.sequenceStarts.at(-1)! / (long.sequenceStarts.length - 1)),
        tokens: 20_000,
        seed: 101,
      });
      const curves = [long, synthesised].map((table) =>
        addCurves(Array.from({ length: table.layers }, (_, layer) => layerLruCurve(table, layer))),
      );
      for (const size of slots) {
        const [shown, made] = curves.map((curve) => hitRate(curve, size));
        add(`${set}: LRU hits with ${size} of ${experts}`, shown!, made!, limits.hitRate);
      }
    }
    return checks;
  },
};

/** Sequences of more than 64 tokens: the rest, prompts above all, says nothing of later reuse. */
function longSequences({ sequenceStarts }: RoutingTable): number[] {
  return Array.from({ length: sequenceStarts.length - 1 }, (_, at) => at).filter(
    (at) => sequenceStarts[at + 1]! - sequenceStarts[at]! > 64,
  );
}

function meanOverLayers(table: RoutingTable, lag: number): number {
  let sum = 0;
  for (let layer = 0; layer < table.layers; layer++) sum += overlapAtLag(table, layer, lag).share;
  return sum / table.layers;
}
