import { pow } from "../../core/pow.ts";
import { oneLine } from "../../core/printable.ts";
import { formatCount, formatNumber, formatPercent } from "../../core/units.ts";
import type { LayerStats, TraceStats } from "./trace-stats.ts";

/** The statistics as aligned tables for the terminal. */
export function describeStats(stats: TraceStats): string {
  return [overview, layerTable, hitTable, distinctTable, gapTable, domainTable]
    .map((describe) => describe(stats))
    .filter((table) => table.rows.length > 1)
    .map(aligned)
    .join("\n\n");
}

interface TextTable {
  readonly title: string;
  /** The first row is the header. */
  readonly rows: readonly (readonly string[])[];
}

/** First column to the left, the others to the right. */
function aligned({ title, rows }: TextTable): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) =>
    widths
      .map((width, column) => (column === 0 ? (row[0] ?? "").padEnd(width) : (row[column] ?? "").padStart(width)))
      .join("  ")
      .trimEnd(),
  );
  return [title, ...lines].join("\n");
}

function overview(stats: TraceStats): TextTable {
  const mean = (of: (layer: LayerStats) => number): number =>
    stats.layers.reduce((sum, layer) => sum + of(layer), 0) / Math.max(1, stats.layers.length);
  return {
    title: oneLine(stats.name),
    rows: [
      ["tokens", "sequences", "layers", "experts", "top-k", "adjacent overlap", "uniform", "max/mean"],
      [
        formatCount(stats.rows),
        formatCount(stats.sequences),
        String(stats.layers.length),
        String(stats.experts),
        String(stats.topK),
        formatPercent(mean((layer) => layer.adjacentOverlap)),
        formatPercent(stats.uniformOverlap),
        formatNumber(mean((layer) => layer.maxOverMean)),
      ],
    ],
  };
}

function layerTable(stats: TraceStats): TextTable {
  return {
    title: "By layer",
    rows: [
      [
        "layer",
        "max/mean",
        "CV",
        `max/mean, ${stats.ranks} ranks`,
        "overlap",
        "first repeats",
        "SRP 16",
        "next first known",
        "bits to next",
      ],
      ...stats.layers.map((layer) => [
        String(layer.modelLayer),
        formatNumber(layer.maxOverMean),
        formatNumber(layer.coefficientOfVariation),
        formatNumber(layer.rankMaxOverMean),
        formatPercent(layer.adjacentOverlap),
        formatPercent(layer.leadRepeat),
        layer.segmentRouting === null ? "" : formatPercent(layer.segmentRouting),
        layer.next === null ? "" : formatPercent(layer.next.leadPredicted),
        layer.next === null ? "" : formatNumber(layer.next.mutualInformationBits),
      ]),
    ],
  };
}

function hitTable(stats: TraceStats): TextTable {
  const sizes = doublingSizes(stats.experts);
  const atSizes = (rates: readonly number[]): string[] => sizes.map((size) => formatPercent(rates[size - 1] ?? 0));
  return {
    title: "LRU hits by slots a layer (event-atomic, emptied between sequences)",
    rows: [
      ["slots a layer", ...sizes.map(String)],
      ["a cache per layer", ...atSizes(stats.hitRate)],
      ["one cache for all", ...atSizes(stats.globalHitRate)],
      ...stats.layers.map((layer) => [`layer ${layer.modelLayer}`, ...atSizes(layer.hitRate)]),
    ],
  };
}

function distinctTable(stats: TraceStats): TextTable {
  const windows = stats.layers[0]?.distinct ?? [];
  const batch = stats.layers.flatMap((layer) => (layer.batch === null ? [] : [layer.batch]));
  const sequences = batch[0]?.sequences ?? 0;
  const withBatch = sequences > 1;
  return {
    title: "Distinct experts of consecutive tokens (and of a step of sequences side by side)",
    rows: [
      ["tokens", ...windows.map(({ tokens }) => String(tokens)), ...(withBatch ? [`step of ${sequences}`] : [])],
      [
        "uniform",
        ...windows.map(({ uniform }) => formatNumber(uniform)),
        ...(withBatch ? [formatNumber(batch[0]?.uniformDistinct ?? 0)] : []),
      ],
      ...stats.layers.map((layer) => [
        `layer ${layer.modelLayer}`,
        ...layer.distinct.map(({ experts }) => formatNumber(experts)),
        ...(withBatch ? [formatNumber(layer.batch?.distinct ?? 0)] : []),
      ]),
    ],
  };
}

function gapTable(stats: TraceStats): TextTable {
  const longest = Math.max(0, ...stats.layers.map((layer) => layer.reuseGaps.upTo.length));
  return {
    title: "Tokens since an expert was last used (share of selections)",
    rows: [
      ["layer", ...Array.from({ length: longest }, (_, bin) => `<= ${pow(2, bin)}`), "first use"],
      ...stats.layers.map(({ modelLayer, reuseGaps }) => [
        String(modelLayer),
        ...Array.from({ length: longest }, (_, bin) => formatPercent(reuseGaps.share[bin] ?? 0)),
        formatPercent(reuseGaps.firstUse),
      ]),
    ],
  };
}

function domainTable(stats: TraceStats): TextTable {
  if (stats.domains.length < 2) return { title: "Domains", rows: [] };
  return {
    title: "Domains (distance = total variation of popularity, mean over layers)",
    rows: [
      ["domain", "share", ...stats.domains.map(({ name }) => `to ${oneLine(name)}`)],
      ...stats.domains.map(({ name, share }, domain) => [
        oneLine(name),
        formatPercent(share),
        ...(stats.domainDistance[domain] ?? []).map((distance) => formatNumber(distance)),
      ]),
    ],
  };
}

/** 1, 2, 4, ... and all experts. */
function doublingSizes(experts: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < experts; size *= 2) sizes.push(size);
  return [...sizes, experts];
}
