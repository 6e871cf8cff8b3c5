import { refuse } from "../core/errors.ts";
import type { RoutingTraceFile } from "../trace/container/open-trace.ts";
import { loadCountsTable } from "../trace/load-counts.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { CountsTable, RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { layerLoadsOf } from "./judge-map.ts";

/** Loads of one topic over time. */
export interface TopicLoads {
  readonly name: string;
  /** [windows][layers x experts] tokens of each expert in stretches of time, the earliest first. */
  readonly windows: readonly Float64Array[];
}

/** What a trace says of the loads of experts, of tokens or of counts. */
export interface RecordedLoads {
  readonly name: string;
  readonly kind: "tokens" | "counts";
  readonly layers: number;
  readonly experts: number;
  readonly topK: number | null;
  /** Model layer of each. */
  readonly modelLayers: readonly number[];
  /** Tokens, or recorded steps. */
  readonly rows: number;
  readonly topics: readonly TopicLoads[];
  /** The tokens; null where the trace has counts alone. */
  readonly table: RoutingTable | null;
}

/** Stretches of time that a topic is cut into at most, and tokens that one has at least. */
const windowsMax = 16;
const windowTokensMin = 128;

/** Reads them. `domain`: of this topic alone. */
export async function recordedLoads(
  trace: RoutingTraceFile,
  bytesMax: number,
  domain: string | undefined,
): Promise<RecordedLoads> {
  const { header } = trace;
  if (header.kind === "counts") return recordedCounts(trace, domain);
  const loaded = await loadRoutingTable(trace, { bytesMax });
  const table = domain === undefined ? loaded : rowsOfDomain(loaded, domain, { file: trace.name, at: "--domain" });
  return tokenLoads(table);
}

/** The same of tokens. */
export function tokenLoads(table: RoutingTable): RecordedLoads {
  const { layers, experts, topK, rows, domains, domainStarts } = table;
  const layerMap = Array.from({ length: layers }, (_, layer) => layer);
  return {
    name: table.origin.name,
    kind: "tokens",
    layers,
    experts,
    topK,
    modelLayers: table.modelLayers.length === layers ? table.modelLayers : layerMap,
    rows,
    topics: domains.flatMap((name, domain) => {
      if (domainStarts[domain + 1]! === domainStarts[domain]!) return [];
      const own = rowsOfDomain(table, name);
      const count = Math.max(1, Math.min(windowsMax, Math.floor(own.rows / windowTokensMin)));
      const windows = Array.from({ length: count }, (_, i) =>
        layerLoadsOf(
          stretch(own, Math.floor((i * own.rows) / count), Math.floor(((i + 1) * own.rows) / count)),
          layerMap,
        ),
      );
      return [{ name, windows }];
    }),
    table,
  };
}

/** Rows [from, to) as far as counting needs them. */
function stretch(table: RoutingTable, from: number, to: number): RoutingTable {
  const stride = table.layers * table.topK;
  return { ...table, rows: to - from, ids: table.ids.subarray(from * stride, to * stride) };
}

async function recordedCounts(trace: RoutingTraceFile, domain: string | undefined): Promise<RecordedLoads> {
  const { header } = trace;
  if (domain !== undefined && !header.domains.includes(domain))
    refuse({
      file: trace.name,
      at: "--domain",
      expected: `a domain of the trace: ${header.domains.join(", ") || "it has none"}`,
      found: domain,
    });
  const names = domain === undefined ? header.domains : [domain];
  const topics: TopicLoads[] = [];
  let whole: CountsTable | null = null;
  for (const name of names.length > 0 ? names : [null]) {
    const counts = await loadCountsTable(trace, name === null ? {} : { domain: name });
    whole ??= counts;
    if (counts.steps > 0) topics.push({ name: name ?? "all", windows: windowsOf(counts) });
  }
  return {
    name: whole!.origin.name,
    kind: "counts",
    layers: header.layers.length,
    experts: header.experts,
    topK: header.topK,
    modelLayers: header.layers,
    rows: trace.rows,
    topics,
    table: null,
  };
}

/** Recorded steps added up to at most so many stretches. */
function windowsOf({ steps, layers, experts, counts }: CountsTable): Float64Array[] {
  const size = layers * experts;
  const count = Math.min(steps, windowsMax);
  const windows = Array.from({ length: count }, () => new Float64Array(size));
  for (let step = 0; step < steps; step++) {
    const window = windows[Math.floor((step * count) / steps)]!;
    for (let at = 0; at < size; at++) window[at]! += counts[step * size + at]!;
  }
  return windows;
}
