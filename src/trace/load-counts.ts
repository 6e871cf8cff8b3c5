import { refuse } from "../core/errors.ts";
import type { RoutingTraceFile } from "./container/open-trace.ts";
import { isAbsent } from "./container/row-check.ts";
import { originOf } from "./load-routing.ts";
import type { CountsTable, RoutingTable } from "./routing-table.ts";

export interface LoadCountsOptions {
  /** Bytes the counts may take; steps of a larger trace are added up in groups of neighbours. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Only steps (or rows) of this domain. */
  readonly domain?: string;
}

const countMax = 0xffff_ffff;

/** Loads a counts trace, or adds up a tokens trace to one step. Refuses sums beyond 32 bits. */
export async function loadCountsTable(file: RoutingTraceFile, options: LoadCountsOptions = {}): Promise<CountsTable> {
  const { header } = file;
  const notes = [...header.provenance.notes];
  const domain = options.domain === undefined ? null : header.domains.indexOf(options.domain);
  if (domain === -1)
    refuse({ file: file.name, at: "domain", expected: header.domains.join(", "), found: options.domain });
  const loaded =
    header.kind === "counts" ? await addSteps(file, options, domain, notes) : await addTokens(file, domain);
  return {
    steps: loaded.steps,
    layers: header.layers.length,
    experts: header.experts,
    topK: header.topK,
    counts: loaded.counts,
    modelLayers: header.layers,
    origin: await originOf(file, "unknown", notes),
  };
}

async function addSteps(file: RoutingTraceFile, options: LoadCountsOptions, domain: number | null, notes: string[]) {
  const stepCounts = file.header.layers.length * file.header.experts;
  const domains =
    file.columns.includes("domain") && domain !== null ? await file.readColumn("domain", 0, file.rows) : null;
  const steps = domains === null ? file.rows : domains.filter((of) => of === domain).length;
  const stepsMax = Math.max(1, Math.floor((options.bytesMax ?? 256 * 1024 * 1024) / (stepCounts * 4)));
  const group = Math.max(1, Math.ceil(steps / stepsMax));
  if (group > 1) notes.push(`${steps} recorded steps were added up in groups of ${group} to fit the memory budget`);
  const counts = new Uint32Array(Math.ceil(steps / group) * stepCounts);
  let taken = 0;
  for (let step = 0; step < file.rows; step++) {
    if (domains !== null && domains[step] !== domain) continue;
    add(counts, Math.floor(taken / group) * stepCounts, await file.readCounts(step, step + 1), file.name);
    taken += 1;
  }
  return { steps: counts.length / stepCounts, counts };
}

const chunkRows = 1 << 16;

async function addTokens(file: RoutingTraceFile, domain: number | null) {
  const { experts, layers } = file.header;
  const topK = file.header.topK ?? 1;
  const counts = new Uint32Array(layers.length * experts);
  for (let from = 0; from < file.rows; from += chunkRows) {
    const to = Math.min(file.rows, from + chunkRows);
    const domains =
      domain !== null && file.columns.includes("domain") ? await file.readColumn("domain", from, to) : null;
    for (const layer of layers.keys()) {
      const ids = await file.readLayer(layer, from, to);
      for (let row = 0; row < to - from; row++) {
        if ((domains !== null && domains[row] !== domain) || isAbsent(ids, row, topK)) continue;
        for (let at = row * topK; at < (row + 1) * topK; at++)
          if (ids[at]! < experts) counts[layer * experts + ids[at]!]! += 1;
      }
    }
  }
  return { steps: 1, counts };
}

function add(sums: Uint32Array, at: number, step: Uint32Array, file: string): void {
  for (let i = 0; i < step.length; i++) {
    const sum = sums[at + i]! + step[i]!;
    if (sum > countMax) refuse({ file, expected: `sums of counts up to ${countMax}`, found: sum });
    sums[at + i] = sum;
  }
}

/** Selections per layer and expert over all rows of a table, as one step. Choices without an expert are left out. */
export function countsOf(table: RoutingTable): CountsTable {
  const { experts, layers, topK, ids } = table;
  const counts = new Uint32Array(layers * experts);
  for (let at = 0; at < ids.length; )
    for (let layer = 0; layer < layers; layer++)
      for (let k = 0; k < topK; k++, at++) if (ids[at]! < experts) counts[layer * experts + ids[at]!]! += 1;
  return { steps: 1, layers, experts, topK, counts, modelLayers: table.modelLayers, origin: table.origin };
}
