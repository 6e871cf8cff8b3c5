import { loadRoutingTable } from "../../src/trace/load-routing.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { batchSteps } from "../../src/trace/stats/distinct-experts.ts";
import { addCurves, hitRate, type LruCurve, layerLruCurve } from "../../src/trace/stats/lru-curve.ts";
import { nextLayer } from "../../src/trace/stats/next-layer.ts";
import { overlapAtLag } from "../../src/trace/stats/overlap.ts";
import { expertCounts, maxOverMean } from "../../src/trace/stats/popularity.ts";
import { type CheckLine, checkLine } from "./check-line.ts";
import { recordedRouting, routingFolders } from "./routing-tables.ts";

/** Recomputes the published locality figures of the recorded routing sets, to the printed digit. */
export const routingStatsCheck = {
  name: "routing-stats",
  folders: routingFolders,
  async run(folder: string): Promise<CheckLine[]> {
    return [
      ...(await mixtralChecks(folder, "mixtral humaneval", {
        hits: ".397/.515/.622/.718/.813",
        skew: "1.47",
        overlap: ".399",
        repeat: ".268",
        predicted: ".34 against .21",
      })),
      ...(await mixtralChecks(folder, "mixtral gsm8k", {
        hits: ".341/.471/.597/.705/.804",
        skew: "1.52",
        overlap: ".344",
        repeat: ".221",
        predicted: ".38 against .22",
      })),
      ...(await flameChecks(folder)),
      ...(await qwenChecks(folder)),
    ];
  },
};

interface MixtralFigures {
  readonly hits: string;
  readonly skew: string;
  readonly overlap: string;
  readonly repeat: string;
  readonly predicted: string;
}

async function mixtralChecks(
  folder: string,
  set: "mixtral humaneval" | "mixtral gsm8k",
  expected: MixtralFigures,
): Promise<CheckLine[]> {
  // Up to three rows are missing in a layer, not the same ones: figures of one layer use all the rows of that layer.
  const { byLayer, aligned } = await recordedRouting[set](folder, async (trace) => ({
    byLayer: await Promise.all(trace.header.layers.map((_, layer) => loadRoutingTable(trace, { layers: [layer] }))),
    aligned: await loadRoutingTable(trace),
  }));
  const curve = addCurves(byLayer.map((table) => layerLruCurve(table, 0)));
  const next = Array.from({ length: aligned.layers - 1 }, (_, layer) => nextLayer(aligned, layer));
  const predicted = digits(2, mean(next.map(({ leadPredicted }) => leadPredicted)));
  const popular = digits(2, mean(next.map(({ leadByPopularity }) => leadByPopularity)));
  return [
    checkLine(`${set}: LRU hits with 2..6 of 8 slots`, expected.hits, hitsAt(curve, [2, 3, 4, 5, 6])),
    checkLine(
      `${set}: max/mean load, mean of layers`,
      expected.skew,
      digits(2, mean(byLayer.map((table) => skew(table, 0)))),
    ),
    checkLine(
      `${set}: adjacent overlap`,
      expected.overlap,
      digits(3, mean(byLayer.map((table) => overlapAtLag(table, 0, 1).share))),
    ),
    checkLine(
      `${set}: top-1 repeat`,
      expected.repeat,
      digits(3, mean(byLayer.map((table) => overlapAtLag(table, 0, 1).leadRepeat))),
    ),
    checkLine(`${set}: next layer's top-1 predicted, in-sample`, expected.predicted, `${predicted} against ${popular}`),
  ];
}

async function flameChecks(folder: string): Promise<CheckLine[]> {
  const table = await recordedRouting.flame(folder, (trace) => loadRoutingTable(trace));
  const layers = layersOf(table);
  const skews = layers.map((layer) => skew(table, layer));
  const overlap = (lag: number): string =>
    digits(3, mean(layers.map((layer) => overlapAtLag(table, layer, lag).share)));
  return [
    checkLine(
      "flame: LRU hits with 8/16/32 of 64 slots",
      ".246/.379/.613",
      hitsAt(addCurves(layers.map((layer) => layerLruCurve(table, layer))), [8, 16, 32]),
    ),
    checkLine("flame: max/mean load by layer", "1.38-1.86", range(2, skews)),
    checkLine("flame: overlap one and two tokens apart", ".213, .147", `${overlap(1)}, ${overlap(2)}`),
  ];
}

async function qwenChecks(folder: string): Promise<CheckLine[]> {
  const table = await recordedRouting.qwen15(folder, (trace) => loadRoutingTable(trace));
  const slots = longestSteps(table, 25);
  const steps = layersOf(table).flatMap((layer) => batchSteps(table, layer, slots) ?? []);
  return [
    checkLine(
      "qwen15: distinct experts in a step of 25 tokens, by layer",
      "45.4/45.3/44.7/45.5/44.8",
      steps.map(({ distinct }) => digits(1, distinct)).join("/"),
    ),
    checkLine("qwen15: same with uniform routing", "49.3", digits(1, steps[0]?.uniformDistinct ?? 0)),
    checkLine(
      "qwen15: max/mean load of a step",
      "4.2-4.4",
      range(
        1,
        steps.map(({ maxOverMean }) => maxOverMean),
      ),
    ),
    checkLine(
      "qwen15: overlap with the same slot one step before",
      ".08-.13",
      range(
        2,
        steps.map(({ sameSequence }) => sameSequence),
      ),
    ),
    checkLine(
      "qwen15: max/mean load of all rows",
      "1.36-1.60",
      range(
        2,
        layersOf(table).map((layer) => skew(table, layer)),
      ),
    ),
  ];
}

/** The sequences that ran side by side longest: `slots` of equal length in a row. */
function longestSteps(table: RoutingTable, slots: number): number[] {
  const lengths = Array.from(table.sequenceStarts.subarray(1), (end, index) => end - table.sequenceStarts[index]!);
  const runs = lengths.flatMap((length, first) =>
    lengths.slice(first, first + slots).filter((other) => other === length).length === slots ? [{ length, first }] : [],
  );
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), { length: 0, first: 0 });
  return Array.from({ length: slots }, (_, slot) => longest.first + slot);
}

function layersOf(table: RoutingTable): number[] {
  return Array.from({ length: table.layers }, (_, layer) => layer);
}

function skew(table: RoutingTable, layer: number): number {
  return maxOverMean(expertCounts(table, layer));
}

function hitsAt(curve: LruCurve, sizes: readonly number[]): string {
  return sizes.map((size) => digits(3, hitRate(curve, size))).join("/");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function range(count: number, values: readonly number[]): string {
  return `${digits(count, Math.min(...values))}-${digits(count, Math.max(...values))}`;
}

/** Fixed digits without the leading zero, as the reference prints shares. */
function digits(count: number, value: number): string {
  return value.toFixed(count).replace(/^0\./, ".");
}
