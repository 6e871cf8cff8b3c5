import { refuse } from "../../core/errors.ts";
import type { TraceProvenance } from "../container/trace-header.ts";
import { phases } from "../container/trace-tensors.ts";
import { importCounts } from "./counts-trace.ts";
import { domainsOfFiles, type ImportedTrace, type ImportOptions, type TraceImporter } from "./importer.ts";
import { importedProvenance } from "./provenance.ts";
import { importRows } from "./row-parts.ts";
import type { RowBlock } from "./row-source.ts";
import { isHeader, wholeNumberRows } from "./whole-number-rows.ts";

const columns = ["layer", "expert"];

/**
 * `moe_trace.csv` of llama.cpp: one `layer,expert` line per selection, written layer after layer for each micro-batch of
 * one prompt. Nothing separates tokens: with `topK` stated every k lines of a layer are one token and a tokens trace
 * results, without it only counts. The last layer is evaluated only for tokens whose logits are needed, so its rows
 * are fewer: they are the last of the micro-batch, the others are marked absent.
 */
export const llamaCpp: TraceImporter = {
  description: "llama.cpp moe_trace.csv: layer,expert per selection (state topK for a tokens trace)",

  detects({ fileName, text }): boolean {
    const [first = "", second = ""] = text.split("\n", 2);
    const row = /^[0-9]+,[0-9]+\r?$/;
    return (isHeader(first, columns) && row.test(second)) || (fileName.startsWith("moe_trace") && row.test(first));
  },

  async import(paths, options, files) {
    return options.topK === undefined || options.kind === "counts"
      ? countsOf(paths, options, files)
      : tokensOf(paths, options.topK, options, files);
  },
};

type Files = NonNullable<TraceProvenance["files"]>;

async function countsOf(paths: readonly string[], options: ImportOptions, files: Files): Promise<ImportedTrace> {
  const domains = domainsOfFiles(paths, options);
  const names = [...new Set(domains)];
  const sums = names.map(() => new Map<number, number>());
  const layersSeen = new Set<number>();
  let largest = -1;
  for (const [index, path] of paths.entries())
    for await (const { line, values } of wholeNumberRows(path, columns)) {
      const [layer = 0, expert = 0] = values;
      if (layer >= 4_096 || expert >= 65_536)
        refuse({ file: path, line, expected: "a layer below 4096 and an expert below 65536", found: values });
      layersSeen.add(layer);
      largest = Math.max(largest, expert);
      const sum = sums[names.indexOf(domains[index] ?? "")];
      const key = layer * 65_536 + expert;
      sum?.set(key, (sum.get(key) ?? 0) + 1);
    }
  const layers = [...layersSeen].sort((a, b) => a - b);
  const experts = options.experts ?? largest + 1;
  const file = paths[0] ?? "";
  if (largest >= experts) refuse({ file, expected: `experts below ${experts}`, found: largest });
  const warnings = ["top-k is not stated: only counts are imported; with topK the tokens are"];
  if (options.experts === undefined)
    warnings.push(
      `the number of experts is not stated: ${experts} taken from the largest id (trace import --experts states it)`,
    );
  const steps = sums.map((sum, domain) => {
    const counts = new Uint32Array(layers.length * experts);
    for (const [key, count] of sum) counts[layers.indexOf(Math.floor(key / 65_536)) * experts + (key % 65_536)] = count;
    return { counts, domain, step: 0 };
  });
  return importCounts(
    {
      file,
      steps: steps.length,
      modelLayers: layers,
      experts,
      topK: null,
      model: "unknown",
      domains: names,
      provenance: importedProvenance("llama.cpp moe_trace.csv", "counts over the whole file", options, files),
      warnings,
      read: () => steps,
    },
    options,
  );
}

async function tokensOf(
  paths: readonly string[],
  topK: number,
  options: ImportOptions,
  files: Files,
): Promise<ImportedTrace> {
  const layersSeen = new Set<number>();
  const batchesOf: { tokens: number; first: number }[][] = [];
  let short = 0;
  for (const path of paths) {
    const batches: { tokens: number; first: number }[] = [];
    let tokens = 0;
    for await (const batch of batchesIn(path, topK)) {
      for (const [layer, ids] of batch.layers) {
        layersSeen.add(layer);
        short += batch.tokens - ids.length / topK;
      }
      batches.push({ tokens: batch.tokens, first: tokens });
      tokens += batch.tokens;
    }
    batchesOf.push(batches);
  }
  const layers = [...layersSeen].sort((a, b) => a - b);
  const warnings =
    short > 0
      ? [
          `${short} rows are marked absent: a layer evaluated only some tokens of a micro-batch ` +
            "(llama.cpp skips tokens without logits in the last layer); load the other layers to keep these tokens",
        ]
      : [];
  const parts = paths.map((path, index) => {
    const batches = batchesOf[index] ?? [];
    let at = 0;
    return {
      file: path,
      at: "rows",
      domain: index,
      blocks: () => blocksOf(path, topK, layers),
      place(row: number) {
        if (row < (batches[at]?.first ?? 0)) at = 0;
        while (row >= (batches[at]?.first ?? 0) + (batches[at]?.tokens ?? 1)) at += 1;
        const { tokens = 0, first = 0 } = batches[at] ?? {};
        const phase = tokens > 1 ? phases.prefill : phases.decode;
        return { sequence: index, position: row, phase, step: at, slot: row - first };
      },
    };
  });
  return importRows(
    {
      parts,
      layers: layers.length,
      width: topK,
      hasWeights: false,
      columns: ["sequence", "position", "phase", "step", "slot", "domain"],
      domains: domainsOfFiles(paths, options),
      modelLayers: layers,
      model: "unknown",
      provenance: importedProvenance(
        "llama.cpp moe_trace.csv",
        `each file is one prompt and one sequence; every ${topK} lines of a layer are one token, ` +
          "a micro-batch ends where the layer number falls, micro-batches of one token are decode",
        options,
        files,
      ),
      warnings,
      dropWarmUp: true,
    },
    options,
  );
}

/** The selections of one micro-batch by layer. */
interface MicroBatch {
  readonly tokens: number;
  readonly layers: ReadonlyMap<number, number[]>;
}

const selectionsPerLayerMax = 1 << 22;

async function* batchesIn(path: string, topK: number): AsyncGenerator<MicroBatch> {
  let layers = new Map<number, number[]>();
  let current = -1;
  const close = (line: number): MicroBatch => {
    let tokens = 0;
    for (const [layer, ids] of layers) {
      if (ids.length % topK !== 0)
        refuse({
          file: path,
          line,
          at: `layer ${layer}`,
          expected: `a multiple of ${topK} selections`,
          found: ids.length,
        });
      tokens = Math.max(tokens, ids.length / topK);
    }
    return { tokens, layers };
  };
  let last = 1;
  for await (const { line, values } of wholeNumberRows(path, columns)) {
    const [layer = 0, expert = 0] = values;
    if (layer >= 4_096 || expert >= 65_536)
      refuse({ file: path, line, expected: "a layer below 4096 and an expert below 65536", found: values });
    if (layer < current) {
      yield close(line - 1);
      layers = new Map();
    }
    current = layer;
    const ids = layers.get(layer);
    if (ids === undefined) layers.set(layer, [expert]);
    else if (ids.push(expert) > selectionsPerLayerMax)
      refuse({ file: path, line, expected: `at most ${selectionsPerLayerMax} selections per layer and micro-batch` });
    last = line;
  }
  if (layers.size > 0) yield close(last);
}

async function* blocksOf(path: string, topK: number, layers: readonly number[]): AsyncGenerator<RowBlock> {
  for await (const batch of batchesIn(path, topK)) {
    const ids = new Int32Array(batch.tokens * layers.length * topK).fill(-1);
    for (const [place, layer] of layers.entries()) {
      const own = batch.layers.get(layer) ?? [];
      const skipped = batch.tokens - own.length / topK;
      for (let i = 0; i < own.length; i++) {
        const row = skipped + Math.floor(i / topK);
        ids[(row * layers.length + place) * topK + (i % topK)] = own[i]!;
      }
    }
    yield { rows: batch.tokens, ids, weights: null };
  }
}
