import { formatProblem, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { rangesText } from "../core/number-ranges.ts";
import { oneLine } from "../core/printable.ts";
import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { type OutputNeeds, prepareOutput } from "../files/prepare-output.ts";
import { catalogue, modelNamed } from "../models/catalogue.ts";
import { routableExperts } from "../models/expert-choices.ts";
import type { ModelSpec } from "../models/spec.ts";
import { textTable } from "../report/text-table.ts";
import { moeLayerIndices } from "../resolve/layer-map.ts";
import { moeShape } from "../sim/mapping.ts";
import { withFile } from "../trace/byte-source.ts";
import { parseColumnMap } from "../trace/column-map.ts";
import { openRoutingTrace, type RoutingTraceFile } from "../trace/container/open-trace.ts";
import { type RoutingExportFormat, routingExporters } from "../trace/export/routing-exporters.ts";
import { importTrace } from "../trace/formats/import-trace.ts";
import type { ImportOptions } from "../trace/formats/importer.ts";
import { importers, type TraceFormat } from "../trace/formats/importers.ts";
import { type TableMap, tableFields } from "../trace/formats/table/fields.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { RequestTable } from "../trace/request-table.ts";
import { loadRequests } from "../trace/requests/load-requests.ts";
import type { TurnPrompts } from "../trace/requests/request-format.ts";
import { type RequestFormatName, requestFormats } from "../trace/requests/request-formats.ts";
import { summariseRequests } from "../trace/requests/summarise-requests.ts";
import { columnsOfMap } from "../trace/requests/table-columns.ts";
import type { TimeUnit } from "../trace/requests/time-unit.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { saveRoutingTable } from "../trace/save-routing.ts";
import { describeStats } from "../trace/stats/describe-stats.ts";
import { traceStats } from "../trace/stats/trace-stats.ts";
import { fitRouting } from "../trace/synthesis/fit-routing.ts";
import { routingFromPublished } from "../trace/synthesis/published-routing.ts";
import { synthesiseRouting } from "../trace/synthesis/synthesise-routing.ts";
import { type Io, processIo } from "./io.ts";
import { inStages, type StagesOptions } from "./stages.ts";
import { oneOf } from "./words.ts";

export interface ImportCliOptions extends OutputNeeds, StagesOptions {
  readonly output: string;
  readonly format: string;
  readonly map?: string;
  readonly model?: string;
  readonly experts?: number;
  readonly topK?: number;
  readonly modelLayers?: readonly number[];
  readonly domain?: readonly string[];
  readonly interleaved?: number;
  readonly grouping: NonNullable<ImportOptions["grouping"]>;
  readonly kind?: "tokens" | "counts";
}

/** Bytes of expert ids that commands on one trace may hold. */
export const bytesMax = 1024 * 1024 * 1024;

export async function importCommand(paths: readonly string[], options: ImportCliOptions): Promise<void> {
  const io = processIo(true);
  const format = oneOf(options.format, ["auto", ...(Object.keys(importers) as TraceFormat[])] as const, "--format");
  const { model, topK, interleaved, grouping, kind, domain, modelLayers } = options;
  const map = options.map === undefined ? undefined : tableMap(options.map, format);
  await prepareOutput(options.output, { ...options, anyOrder: true });
  // A model of the catalogue says how many experts it has, also those that the recording never met, and in which layers.
  const known = model === undefined ? null : knownModel(model);
  const moe = known === null ? null : moeShape(known);
  const experts = options.experts ?? (moe === null ? undefined : routableExperts(moe));
  const work = {
    grouping,
    ...(map === undefined ? {} : { map }),
    ...(model === undefined ? {} : { model }),
    ...(experts === undefined ? {} : { experts }),
    ...(topK === undefined ? {} : { topK }),
    ...(modelLayers === undefined ? {} : { modelLayers }),
    ...(known === null ? {} : { shape: { layers: known.layers.length, moeLayers: moeLayerIndices(known) } }),
    ...(interleaved === undefined ? {} : { interleaved }),
    ...(kind === undefined ? {} : { kind }),
    ...(domain === undefined ? {} : { domains: domain }),
  };
  const report = await inStages(io, options.output, options, async (say) => {
    say("importing");
    return importTrace(format, paths, options.output, work);
  });
  for (const warning of report.warnings) io.err(`warning: ${oneLine(warning)}\n`);
  const { header } = report;
  io.out(
    `${oneLine(options.output)}: ${formatCount(report.rows)} ${header.kind === "tokens" ? "tokens" : "steps"}, ` +
      `${header.layers.length} layers, ${header.experts} experts, top-${header.topK ?? "?"} (${report.format})\n` +
      `${formatCount(header.provenance.droppedRows)} warm-up or padding rows dropped; sequences: ${oneLine(header.provenance.grouping)}\n`,
  );
}

/** A model of the catalogue by id or alias; null for a name that it does not have. */
export function knownModel(name: string): ModelSpec | null {
  const has = Object.values(catalogue).some(({ id, aliases }) => id === name || aliases.includes(name));
  return has ? modelNamed(name) : null;
}

/** The columns that `--map` names; refuses it beside a format whose columns are known. */
function tableMap(text: string, format: string): TableMap {
  if (format !== "auto" && format !== "table") throw new UsageError(`--map: ${format} has columns of its own`);
  const { map, problems } = parseColumnMap(text, tableFields);
  if (problems.length > 0) throw new UsageError(problems.map((problem) => `--map: ${formatProblem(problem)}`));
  return map;
}

export interface InspectOptions {
  readonly json?: boolean;
  readonly format: string;
  readonly map?: string;
  readonly timeUnit?: TimeUnit;
  readonly blockTokens?: number;
  readonly turnPrompts?: TurnPrompts;
  readonly from?: number;
  readonly until?: number;
}

export async function inspect(file: string, options: InspectOptions): Promise<void> {
  const io = processIo(true);
  const { json = false } = options;
  if (!(await looksLikeSafetensors(file))) {
    const table = await loadInspected(file, options);
    const summary = summariseRequests(table);
    if (json) io.out(jsonDocument({ origin: table.origin, ...summary }));
    else io.out(requestText(table.origin, summary, io));
    return;
  }
  await withTrace(file, async (trace) => {
    const { header, rows, columns, hasWeights, hasScores, bytes } = trace;
    if (json) {
      io.out(jsonDocument({ ...header, rows, columns, hasWeights, hasScores, bytes }));
      return;
    }
    const { provenance } = header;
    const lines: string[][] = [
      ["kind", header.kind],
      ["model", header.model],
      [header.kind === "tokens" ? "tokens" : "steps", formatCount(rows)],
      ["layers", `${header.layers.length}: ${rangesText(header.layers)}`],
      ["experts", `${header.experts}, top-${header.topK ?? "unknown"}`],
      ["domains", header.domains.join(", ") || "none"],
      ["columns", columns.join(", ") || "none"],
      ["weights, scores", `${hasWeights ? "yes" : "no"}, ${hasScores ? "yes" : "no"}`],
      ["file", formatBytes(bytes)],
      ["origin", `${provenance.origin}: ${provenance.source}`],
      ...optional("partial", provenance.partial),
      ...optional("device", provenance.device),
      ...optional("dtype", provenance.dtype),
      ...optional("date", provenance.date),
      ...Object.entries(provenance.versions ?? {}).map(([name, version]) => ["version", `${name} ${version}`]),
      ["sequences", provenance.grouping],
      ["dropped rows", formatCount(provenance.droppedRows)],
      ...provenance.notes.map((note) => ["note", note]),
      ...(provenance.files ?? []).map((source) => ["from", `${source.name} sha256 ${source.sha256.slice(0, 16)}`]),
    ];
    io.out(`${textTable(lines, { indent: "", ...fitting(io) }).join("\n")}\n`);
  });
}

function loadInspected(file: string, options: InspectOptions): Promise<RequestTable> {
  const format = oneOf(options.format, ["auto", ...(Object.keys(requestFormats) as RequestFormatName[])], "--format");
  const { map, timeUnit, blockTokens, turnPrompts, from, until } = options;
  const columns = map === undefined ? undefined : columnsOfMap(map, "--map");
  return loadRequests(format, file, {
    ...(columns === undefined ? {} : { columns }),
    ...(timeUnit === undefined ? {} : { timeUnit }),
    ...(blockTokens === undefined ? {} : { blockTokens }),
    ...(turnPrompts === undefined ? {} : { turnPrompts }),
    ...(from === undefined ? {} : { fromNs: from }),
    ...(until === undefined ? {} : { untilNs: until }),
  });
}

export interface StatsOptions extends StagesOptions {
  readonly ranks?: number;
  readonly domain?: string;
  readonly json?: boolean;
}

/** Statistics of a trace. Where layers lack different rows, each layer is measured on all the rows it has. */
export async function stats(file: string, options: StatsOptions): Promise<void> {
  const io = processIo(true);
  const { domain, ranks = 8 } = options;
  const only = (table: RoutingTable) =>
    domain === undefined ? table : rowsOfDomain(table, domain, { file, at: "--domain" });
  const result = await inStages(io, file, options, (say) =>
    withTrace(file, async (trace) => {
      const joint = await loadRoutingTable(trace, { bytesMax });
      const layerTables: RoutingTable[] = [];
      if (joint.rows < trace.rows)
        for (let layer = 0; layer < joint.layers; layer++)
          layerTables.push(only(await loadRoutingTable(trace, { layers: [layer], bytesMax: bytesMax / joint.layers })));
      say("measuring");
      return traceStats(only(joint), { ranks, ...(layerTables.length === 0 ? {} : { layerTables }) });
    }),
  );
  if (options.json === true) io.out(jsonDocument(result));
  else io.out(`${describeStats(result)}\n`);
}

export interface ConvertOptions extends OutputNeeds, StagesOptions {
  readonly to: string;
  readonly output: string;
}

export async function convert(file: string, options: ConvertOptions): Promise<void> {
  const io = processIo(true);
  const format = oneOf(options.to, Object.keys(routingExporters) as RoutingExportFormat[], "--to");
  await prepareOutput(options.output, { ...options, anyOrder: routingExporters[format].anyOrder });
  const { table, left } = await inStages(io, file, options, (say) =>
    withTrace(file, async (trace) => {
      const loaded = await loadRoutingTable(trace, { bytesMax });
      say("writing");
      await routingExporters[format].write(loaded, trace.header.model, options.output);
      return { table: loaded, left: trace.rows - loaded.rows };
    }),
  );
  if (left > 0) io.err(`warning: ${formatCount(left)} of ${formatCount(left + table.rows)} tokens are left out\n`);
  io.out(`${oneLine(options.output)}: ${formatCount(table.rows)} tokens as ${format}\n`);
}

export interface SynthOptions extends OutputNeeds, StagesOptions {
  readonly from?: string;
  readonly published?: string;
  readonly tokens: number;
  readonly seed: number;
  readonly output: string;
}

export async function synth(options: SynthOptions): Promise<void> {
  const io = processIo(true);
  const { from, published, tokens, seed, output } = options;
  if ((from === undefined) === (published === undefined))
    throw new UsageError("give either --from <trace> or --published <id>");
  await prepareOutput(output, { ...options, anyOrder: true });
  const table = await inStages(io, output, options, async (say) => {
    const statistics =
      published === undefined ? fitRouting(await loadTable(from ?? "")) : routingFromPublished(published);
    say("drawing");
    const drawn = synthesiseRouting(statistics, { tokens, seed });
    say("writing");
    await saveRoutingTable(drawn, published ?? "synthesised", output);
    return drawn;
  });
  io.out(`${oneLine(output)}: ${formatCount(table.rows)} tokens, ${table.layers} layers, ${table.experts} experts\n`);
  for (const note of table.origin.notes) io.out(`  ${oneLine(note)}\n`);
}

/** A row for what a header may leave out. */
const optional = (name: string, text: string | undefined) => (text === undefined ? [] : [[name, text]]);

/** Tables fit the terminal; written to a file or a pipe, a row stays a line. */
const fitting = ({ width }: Io) => (width === undefined ? {} : { width });

export async function withTrace<T>(file: string, use: (trace: RoutingTraceFile) => Promise<T>): Promise<T> {
  const trace = await openRoutingTrace(file);
  try {
    return await use(trace);
  } finally {
    await trace.close();
  }
}

const loadTable = (file: string): Promise<RoutingTable> =>
  withTrace(file, (trace) => loadRoutingTable(trace, { bytesMax }));

/** Whether a file starts as a safetensors file does: an 8-byte header length, then an opening brace. */
async function looksLikeSafetensors(file: string): Promise<boolean> {
  return withFile(file, async (source) => {
    if (source.bytes < 9) return false;
    const start = Buffer.alloc(9);
    await source.read(start, 0);
    return start[8] === 0x7b && start.readUInt32LE(4) < 0x10000;
  });
}

function requestText(origin: RequestTable["origin"], summary: ReturnType<typeof summariseRequests>, io: Io): string {
  const lengths = (name: string, of: typeof summary.prompt) => [
    name,
    `mean ${formatNumber(of.mean, 4)}, p10 ${of.p10}, p50 ${of.p50}, p90 ${of.p90}, p99 ${of.p99}, max ${of.max}`,
  ];
  const figure = (value: number | null) => (value === null ? "n/a" : formatNumber(value));
  const rows: string[][] = [
    ["requests", formatCount(summary.count)],
    ["span", formatDuration(summary.spanNs)],
    ["rate", `${figure(summary.ratePerSecond)} requests/s, busiest minute ${formatCount(summary.peakPerMinute)}`],
    [
      "inter-arrival CV",
      `${figure(summary.interarrivalCv)} (1 is Poisson), longest gap ${formatDuration(summary.longestGapNs)}`,
    ],
    ["dispersion, 10 s", figure(summary.dispersion10s)],
    ["distinct arrivals", formatCount(summary.distinctArrivals)],
    lengths("prompt tokens", summary.prompt),
    lengths("output tokens", summary.output),
    ["length correlation", figure(summary.lengthCorrelation)],
  ];
  if (summary.prefix !== null) {
    const { blocks, distinct, hitRateMax } = summary.prefix;
    rows.push([
      "prefix blocks",
      `${formatCount(blocks)}, ${formatCount(distinct)} distinct; an infinite cache hits ${formatPercent(hitRateMax)}`,
    ]);
  }
  rows.push(...origin.notes.map((note) => ["note", note]));
  rows.push(...(origin.assumptions ?? []).map(({ topic, detail }) => [`${topic}, assumed`, detail]));
  return `${textTable(rows, { indent: "", ...fitting(io) }).join("\n")}\n`;
}
