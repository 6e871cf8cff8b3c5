import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRoutingTrace, type RoutingTraceFile } from "../../src/trace/container/open-trace.ts";
import { isAbsent } from "../../src/trace/container/row-check.ts";
import { importTrace } from "../../src/trace/formats/import-trace.ts";
import type { ImportOptions } from "../../src/trace/formats/importer.ts";
import { countsOf, loadCountsTable } from "../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../src/trace/load-routing.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { type CheckLine, checkLine } from "./check-line.ts";

/** Imports the recorded routing sets and compares what arrives with what is known of them. */
export const routingImportCheck = {
  name: "routing-import",
  folders: ["mixtral_routing", "qwen15_moe_routing", "flame_moe_routing", "step_routing", "olmoe_routing"],
  async run(folder: string): Promise<CheckLine[]> {
    const work = await mkdtemp(join(tmpdir(), "moecast-routing-"));
    try {
      const at = (...names: string[]) => names.map((name) => join(folder, name));
      const imported = async (paths: string[], options: ImportOptions, use: Use): Promise<CheckLine[]> => {
        const output = join(work, "trace.safetensors");
        const report = await importTrace("auto", paths, output, options);
        const file = await openRoutingTrace(output);
        try {
          return await use(file, report.warnings);
        } finally {
          await file.close();
        }
      };
      const qwen = (await readdir(join(folder, "qwen15_moe_routing"))).filter((name) => name.endsWith(".jsonl.gz"));
      return [
        ...(await imported(
          at("mixtral_routing/humaneval_2_routing.jsonl.gz"),
          { experts: 8 },
          problems(10_779, [0.397, 0.515, 0.622, 0.718, 0.813]),
        )),
        ...(await imported(
          at("mixtral_routing/gsm8k_2_routing.jsonl.gz"),
          { experts: 8 },
          problems(7_889, [0.341, 0.471, 0.597, 0.705, 0.804]),
        )),
        ...(await imported(at(...qwen.map((name) => `qwen15_moe_routing/${name}`)), { experts: 60 }, batchSteps)),
        ...(await imported(at("flame_moe_routing/encoder_32x64.npz"), { experts: 64 }, rowOrder)),
        ...(await imported(at("flame_moe_routing/encoder_32x64.npz"), { experts: 64, interleaved: 8 }, streams)),
        ...(await imported(at("flame_moe_routing/first_tokens_64x10.npz"), { experts: 64 }, firstTokens)),
        ...(await imported(at("step_routing/qwen_b1024__022_016.npz"), { experts: 128 }, batch(12.7, 45))),
        ...(await imported(at("step_routing/qwen_b64__032_012.npz"), { experts: 128 }, batch(10.5, 68))),
        ...(await imported(at("olmoe_routing/expert_counts.json"), {}, domains)),
      ];
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
};

type Use = (file: RoutingTraceFile, warnings: readonly string[]) => Promise<CheckLine[]>;

/** Layer rows that were recorded, over all layers. */
async function recordedRows(file: RoutingTraceFile): Promise<number> {
  let recorded = 0;
  for (const layer of file.header.layers.keys()) {
    const ids = await file.readLayer(layer, 0, file.rows);
    for (let row = 0; row < file.rows; row++) if (!isAbsent(ids, row, file.header.topK ?? 1)) recorded += 1;
  }
  return recorded;
}

/**
 * Hits of an event-atomic LRU cache of `slots` experts per layer that is emptied between sequences. An event is one
 * token at one layer: hits are judged at its start, then its experts are touched in stored order.
 */
function lruHits(table: RoutingTable, slots: number): number {
  let hits = 0;
  const stride = table.layers * table.topK;
  for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++)
    for (let layer = 0; layer < table.layers; layer++) {
      let cache: number[] = [];
      for (let row = table.sequenceStarts[sequence]!; row < table.sequenceStarts[sequence + 1]!; row++) {
        const at = row * stride + layer * table.topK;
        const ids = [...table.ids.subarray(at, at + table.topK)];
        hits += ids.filter((id) => cache.includes(id)).length;
        cache = [...cache.filter((id) => !ids.includes(id)), ...ids].slice(-slots);
      }
    }
  return hits;
}

/** LRU hit rates at 2 to 6 slots, layer by layer, so that rows missing in other layers do not count. */
async function layerHitRates(file: RoutingTraceFile): Promise<string> {
  const hits = [0, 0, 0, 0, 0];
  let selections = 0;
  for (const layer of file.header.layers.keys()) {
    const table = await loadRoutingTable(file, { layers: [layer] });
    selections += table.ids.length;
    for (const i of hits.keys()) hits[i]! += lruHits(table, i + 2);
  }
  return hits.map((count) => (count / selections).toFixed(3)).join(", ");
}

function problems(rows: number, hitRates: readonly number[]): Use {
  return async (file) => {
    const domain = file.header.domains.join();
    const table = await loadRoutingTable(file);
    return [
      checkLine(`mixtral ${domain}: layer rows kept`, rows, await recordedRows(file)),
      checkLine(`mixtral ${domain}: layers`, 32, file.header.layers.length),
      checkLine(`mixtral ${domain}: sequences`, 2, table.sequenceStarts.length - 1),
      checkLine(
        `mixtral ${domain}: LRU hit rate at 2 to 6 of 8`,
        hitRates.map((rate) => rate.toFixed(3)).join(", "),
        await layerHitRates(file),
      ),
      checkLine(`mixtral ${domain}: warm-up rows`, 0, file.header.provenance.droppedRows),
    ];
  };
}

const batchSteps: Use = async (file) => {
  const steps = await file.readColumn("step", 0, file.rows);
  const sizes = new Map<number, number>();
  for (const step of steps) sizes.set(step, (sizes.get(step) ?? 0) + 1);
  return [
    checkLine("qwen15: warm-up rows dropped", 8_448, file.header.provenance.droppedRows),
    checkLine("qwen15: rows kept", 4_357, file.rows),
    checkLine("qwen15: steps", 129, sizes.size),
    checkLine("qwen15: first steps", "65,1406,25", [...sizes.values()].slice(0, 3).join()),
    checkLine("qwen15: steps of 25", 82, [...sizes.values()].filter((size) => size === 25).length),
    checkLine("qwen15: layers", "0,8,12,18,23", file.header.layers.join()),
  ];
};

/** Mean share of a row's experts that the row `lag` later has too, inside sequences, over all layers. */
function overlap(table: RoutingTable, lag: number): number {
  const stride = table.layers * table.topK;
  let shared = 0;
  let slots = 0;
  for (let sequence = 0; sequence + 1 < table.sequenceStarts.length; sequence++)
    for (let row = table.sequenceStarts[sequence]!; row + lag < table.sequenceStarts[sequence + 1]!; row++)
      for (let at = row * stride; at < (row + 1) * stride; at += table.topK) {
        const next = table.ids.subarray(at + lag * stride, at + lag * stride + table.topK);
        for (let k = 0; k < table.topK; k++) if (next.includes(table.ids[at + k]!)) shared += 1;
        slots += table.topK;
      }
  return shared / slots;
}

const rowOrder: Use = async (file, warnings) => {
  const table = await loadRoutingTable(file);
  return [
    checkLine("flame: rows", 2_048, table.rows),
    checkLine("flame: layers", "2,3,4,5,6,7,8,9", table.modelLayers.join()),
    checkLine("flame: overlap at row lag 8", "0.213", overlap(table, 8).toFixed(3)),
    checkLine("flame: overlap at row lag 1", "0.106", overlap(table, 1).toFixed(3)),
    checkLine("flame: interleaving noticed", "interleaved = 8", /interleaved = \d+/.exec(warnings.join())?.[0] ?? "no"),
  ];
};

const streams: Use = async (file) => {
  const table = await loadRoutingTable(file);
  return [
    checkLine("flame de-interleaved: sequences", 8, table.sequenceStarts.length - 1),
    checkLine(
      "flame de-interleaved: LRU hit rate at 8, 16, 32 of 64",
      "0.246, 0.379, 0.613",
      [8, 16, 32].map((slots) => (lruHits(table, slots) / table.ids.length).toFixed(3)).join(", "),
    ),
    checkLine("flame de-interleaved: overlap of neighbours", "0.213", overlap(table, 1).toFixed(3)),
  ];
};

const firstTokens: Use = async (file) => {
  const table = await loadRoutingTable(file);
  const positions = await file.readColumn("position", 0, 10);
  return [
    checkLine("flame first tokens: sequences of 10", 64, table.sequenceStarts.length - 1),
    checkLine("flame first tokens: positions", "1,2,3,4,5,6,7,8,9,10", positions.join()),
  ];
};

function batch(skew: number, idle: number): Use {
  return async (file) => {
    const { counts, experts } = countsOf(await loadRoutingTable(file));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const name = `step_routing batch ${file.rows}`;
    return [
      checkLine(`${name}: max/mean`, skew.toFixed(1), ((Math.max(...counts) * experts) / total).toFixed(1)),
      checkLine(`${name}: idle experts`, idle, counts.filter((count) => count === 0).length),
    ];
  };
}

const domains: Use = async (file) => {
  const table = await loadCountsTable(file);
  const perStep = table.layers * table.experts;
  const c4 = await loadCountsTable(file, { domain: "c4" });
  return [
    checkLine("olmoe: domains", "arxiv,book,c4,github,tulu,wikipedia", [...file.header.domains].sort().join()),
    checkLine(
      "olmoe: selections of a domain and layer",
      1_671_168,
      table.counts.slice(0, table.experts).reduce((a, b) => a + b),
    ),
    checkLine("olmoe: experts and layers", 192, perStep),
    checkLine(
      "olmoe: max/mean of c4",
      "3.02,2.66,2.50",
      [0, 1, 2]
        .map((layer) => {
          const counts = c4.counts.slice(layer * 64, layer * 64 + 64);
          return ((Math.max(...counts) * 64) / counts.reduce((a, b) => a + b)).toFixed(2);
        })
        .join(),
    ),
  ];
};
