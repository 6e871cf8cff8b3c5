import { RandomStream } from "../src/core/random.ts";
import { contiguous } from "../src/policy/placement/contiguous.ts";
import { ExpertRanks } from "../src/sim/routing/expert-ranks.ts";
import { RoutingReplay } from "../src/sim/routing/routing-replay.ts";
import type { RoutingTable } from "../src/trace/routing-table.ts";
import { type BenchRow, medianOf } from "./bench.ts";

const layers = 58;
const experts = 256;
const topK = 8;
const ranks = 32;
const rows = 16_384;
const tokensPerRun = 65_536;

/**
 * Routing aggregation in the DeepSeek-V3 shape: tokens per (layer, expert), then pairs and distinct experts per rank, at
 * decode batches read in random row order, and prefill chunks through the histograms. Ratio to a nested-array Map count.
 */
export async function bench(): Promise<BenchRow[]> {
  const table = randomTable();
  const placement = contiguous.place({
    layers,
    experts,
    ranks,
    nodes: 1,
    groups: 1,
    physicalExperts: experts,
    loads: null,
  });
  const layerMap = Array.from({ length: layers }, (_, layer) => layer);
  const expertRanks = new ExpertRanks(placement, layerMap);
  const replay = new RoutingReplay(table, 4096, { start: "random", seed: 1, domainOf: () => -1, ordered: false });
  const step = replay.newStep();
  const work = expertRanks.newWork();
  const naive = 2048 / medianOf(3, () => naiveCount(table, 2048)) / 1e6;
  const out: BenchRow[] = [{ name: "routing aggregation, naive Map", value: naive, unit: "M tokens/s" }];
  const add = (name: string, tokensPerSecond: number) =>
    out.push({
      name,
      value: tokensPerSecond / 1e6,
      unit: "M tokens/s",
      ratio: tokensPerSecond / 1e6 / naive,
      ratioTo: "naive Map",
    });
  for (const batch of [16, 64, 256, 1024]) {
    const seconds = medianOf(5, () => {
      for (let done = 0; done < tokensPerRun; done += batch) {
        step.clear();
        for (let i = 0; i < batch; i++) replay.read(step, (done + i) & 4095, done % 997, 1);
        expertRanks.split(step.counts, work);
      }
    });
    add(`routing aggregation, decode batch ${batch}, counts + rank loads`, tokensPerRun / seconds);
  }
  const chunk = 2048;
  const seconds = medianOf(5, () => {
    for (let done = 0; done < tokensPerRun * 16; done += chunk) {
      step.clear();
      replay.read(step, (done / chunk) & 4095, done % 997, chunk);
      expertRanks.split(step.counts, work);
    }
  });
  add(`routing aggregation, prefill chunk ${chunk}, counts + rank loads`, (tokensPerRun * 16) / seconds);
  return out;
}

function randomTable(): RoutingTable {
  const rng = new RandomStream(1, "bench-routing");
  const ids = new Uint8Array(rows * layers * topK);
  for (let i = 0; i < rows * layers; i++) {
    // A random start and odd stride give eight distinct ids.
    const start = rng.below(experts);
    const stride = 2 * rng.below(experts / 2) + 1;
    for (let k = 0; k < topK; k++) ids[i * topK + k] = (start + k * stride) % experts;
  }
  return {
    experts,
    topK,
    layers,
    rows,
    ids,
    sequenceStarts: Uint32Array.of(0, rows),
    domains: ["any"],
    domainStarts: Uint32Array.of(0, rows),
    modelLayers: [],
    origin: { kind: "synthesised", name: "bench", digest: "", sourceRows: rows, phase: "mixed", notes: [] },
  };
}

function naiveCount(table: RoutingTable, tokens: number): number {
  const counts = new Map<string, number>();
  for (let row = 0; row < tokens; row++)
    for (let layer = 0; layer < layers; layer++)
      for (let k = 0; k < topK; k++) {
        const key = `${layer}:${table.ids[(row * layers + layer) * topK + k]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
  return counts.size;
}
