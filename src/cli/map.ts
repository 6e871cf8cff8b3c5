import { refuse, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { ExpertMap, MapContext } from "../engine/expert-maps/expert-map.ts";
import {
  type ExpertMapFormatName,
  expertMapFormatNames,
  expertMapFormats,
} from "../engine/expert-maps/expert-map-formats.ts";
import type { OutputNeeds } from "../files/prepare-output.ts";
import { expertBytes } from "../models/bytes.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import { copiesOf, loadsOfTrace, type MapCopies, movesBetween } from "../place/map-figures.ts";
import { contiguousMap } from "../policy/placement/contiguous.ts";
import { type LoadBalance, loadBalance } from "../policy/placement/load-balance.ts";
import type { Placement } from "../policy/placement/placement.ts";
import { rankLoads } from "../policy/placement/placement-measures.ts";
import { textTable } from "../report/text-table.ts";
import { mapContext, mapOfPlacement, placementOfMap, readMapFile } from "../resolve/expert-map-file.ts";
import { resolveScenario } from "../resolve/resolve-scenario.ts";
import { parseScenario } from "../scenario/parse-scenario.ts";
import { moeShape } from "../sim/mapping.ts";
import { loadCountsTable } from "../trace/load-counts.ts";
import { mapOutputFormat, writeMap } from "./expert-map-output.ts";
import { fileReader, type Io, processIo } from "./io.ts";
import { readSource } from "./model.ts";
import { paramsFor } from "./scenario-params.ts";
import { withTrace } from "./trace.ts";
import { oneOf, splitPair } from "./words.ts";

interface MapSource {
  readonly model: string;
  readonly ranks?: number;
  readonly format: string;
}

export interface InspectMapOptions extends MapSource {
  readonly trace?: string;
  readonly domain?: string;
  readonly from?: string;
  readonly json?: boolean;
}

/** What an inspection found. */
interface Inspection extends Omit<MapCopies, "twins"> {
  readonly twins: number | null;
  readonly file: string;
  readonly model: string;
  readonly ranks: number | null;
  /** Bytes of the redundant experts of all layers. */
  readonly copyBytes: number;
  readonly balance?: { readonly trace: string; readonly map: LoadBalance; readonly contiguous: LoadBalance };
  readonly moves?: { readonly moved: number; readonly of: number; readonly bytes: number };
}

export interface ConvertMapOptions extends MapSource, OutputNeeds {
  readonly to: string;
  readonly output: string;
}

export interface ExportMapOptions extends OutputNeeds {
  readonly to: string;
  readonly output: string;
  readonly set?: readonly string[];
  readonly param?: readonly string[];
}

/** A map that was read, with the model it is of. */
interface ReadMap {
  readonly map: ExpertMap;
  readonly format: ExpertMapFormatName;
  readonly context: MapContext;
  readonly model: ModelSpec;
  readonly moe: MoeFeedForward;
}

export async function inspectMap(file: string, options: InspectMapOptions): Promise<void> {
  const { trace, domain, from, json = false } = options;
  if (domain !== undefined && trace === undefined) throw new UsageError("map inspect: --domain needs --trace");
  const io = processIo(true);
  const read = await readMap(file, options, io);
  const { map, format, model, moe } = read;
  const ranks = map.ranks ?? options.ranks ?? null;
  if (ranks === null && (trace !== undefined || from !== undefined))
    throw new UsageError(`map inspect: --trace and --from need --ranks, which ${format} does not state`);
  const placement = placementOfMap(map, ranks ?? 1);
  const before = from === undefined || ranks === null ? null : await readMap(from, { ...options, ranks }, io);
  const found = {
    file,
    format,
    model: model.name,
    layers: map.layers,
    experts: map.experts,
    slots: map.slots,
    ranks,
    ...(ranks === null ? {} : { slotsPerRank: map.slots / ranks }),
    ...copiesOf(placement),
    // Without ranks nobody knows.
    ...(ranks === null ? { twins: null } : {}),
    copyBytes: expertBytes(moe, model) * (map.slots - map.experts) * map.layers,
    notes: map.notes,
    ...(trace === undefined ? {} : { balance: await balances(trace, domain, placement, read) }),
    ...(before === null ? {} : { moves: moves(placementOfMap(before.map, ranks!), placement, read) }),
  };
  io.out(json ? jsonDocument(found) : `${inspected(found, read, io).join("\n")}\n`);
}

/** What has to be sent to get from one map to another. */
function moves(from: Placement, to: Placement, { model, moe }: ReadMap) {
  const { moved, of } = movesBetween(from, to);
  return { moved, of, bytes: moved * expertBytes(moe, model) };
}

/** The map on a trace's loads, and the contiguous one beside it. */
async function balances(trace: string, domain: string | undefined, placement: Placement, { model, moe }: ReadMap) {
  const counts = await withTrace(trace, (opened) => loadCountsTable(opened, domain === undefined ? {} : { domain }));
  const loads = loadsOfTrace(counts, model, moe, trace);
  const plain = contiguousMap(placement.layers, placement.experts, placement.ranks);
  return { trace: counts.origin.name, map: balanceOf(placement, loads), contiguous: balanceOf(plain, loads) };
}

/** What an inspection found, in rows. */
function inspected(found: Inspection, { map, format, context }: ReadMap, { style }: Io): string[] {
  const { ranks, redundant, most, twins, empty, balance, moves: sent } = found;
  const perRank =
    ranks === null ? "ranks not stated" : `${formatCount(ranks)} ranks of ${formatCount(map.slots / ranks)}`;
  const rows = [
    ["format", `${format}: ${expertMapFormats[format].taken}`],
    ["experts", `${formatCount(map.layers)} MoE layers of ${formatCount(map.experts)} experts (${found.model})`],
    ["slots", `${formatCount(map.slots)} a layer, ${perRank}`],
    ["copies", copiesText(redundant, most, found.copyBytes)],
    ...(twins === null || twins === 0
      ? []
      : [["twins", `${formatCount(twins)} copies on a rank that has the expert already`]]),
    ...(empty === 0 ? [] : [["empty slots", formatCount(empty)]]),
    ...map.notes.map((note) => ["note", note]),
  ];
  const lines = [style.bold(oneLine(found.file)), ...textTable(rows)];
  if (balance !== undefined)
    lines.push(
      "",
      style.bold(`Load of ranks by ${oneLine(balance.trace)}`),
      ...textTable(
        [
          ["", "balancedness", "max/mean", "worst layer"],
          balanceRow("this map", balance.map, context),
          balanceRow("contiguous", balance.contiguous, context),
        ],
        { align: ["left", "right", "right", "right"] },
      ),
    );
  if (sent !== undefined)
    lines.push(
      "",
      `${formatCount(sent.moved)} of ${formatCount(sent.of)} expert copies (${formatPercent(sent.moved / sent.of)}) have to be sent to get here: ${formatBytes(sent.bytes)}`,
    );
  return lines;
}

function copiesText(redundant: number, most: number, bytes: number): string {
  if (redundant <= 0) return "none";
  return `${formatCount(redundant)} redundant experts a layer, at most ${formatCount(most)} of one; ${formatBytes(bytes)} over all ranks`;
}

const balanceOf = (placement: Placement, loads: Float64Array): LoadBalance =>
  loadBalance(rankLoads(placement, loads), placement.ranks);

const balanceRow = (name: string, { balancedness, maxOverMean, worst }: LoadBalance, { moeLayers }: MapContext) => [
  name,
  formatNumber(balancedness, 4),
  formatNumber(maxOverMean, 4),
  `${formatNumber(worst.maxOverMean, 4)} in layer ${moeLayers[worst.layer]}`,
];

export async function convertMap(file: string, options: ConvertMapOptions): Promise<void> {
  const io = processIo(true);
  const { to, output } = options;
  const format = await mapOutputFormat({ ...options, file: output, format: to, option: "--to" });
  const read = await readMap(file, options, io);
  for (const note of read.map.notes) io.err(`note: ${oneLine(note)}\n`);
  io.out(await writeMap(io, read.map, { ...read.context, file: output }, format, read.format));
}

export async function exportMap(file: string, options: ExportMapOptions): Promise<void> {
  const io = processIo(true);
  const { to, output } = options;
  const format = await mapOutputFormat({ ...options, file: output, format: to, option: "--to" });
  const params = Object.fromEntries((options.param ?? []).map((text) => splitPair(text, "--param NAME=value")));
  const scenario = parseScenario(await io.readText(file), file, {
    ...(options.set === undefined ? {} : { settings: options.set }),
    params: await paramsFor(file, params, io),
  });
  const { config, placement: name } = await resolveScenario(scenario, fileReader(io));
  if (config.otherPools !== undefined)
    refuse({
      file,
      at: "pools",
      expected: "a scenario of one pool: a map is of one deployment",
      found: `${config.otherPools.length + 1} pools`,
    });
  const moe = moeShape(config.model);
  if (moe === null) return refuse({ file, expected: "a model with routed experts", found: config.model.name });
  const context = mapContext(config.model, moe, output, config.mapping.ep);
  const placement = config.placement ?? contiguousMap(expertHomes(config.model).length, moe.experts, config.mapping.ep);
  const map = mapOfPlacement(placement, config.model);
  io.out(await writeMap(io, map, context, format, name));
}

async function readMap(file: string, { model: source, ranks, format }: MapSource, io: Io): Promise<ReadMap> {
  const asked = oneOf(format, ["auto", ...expertMapFormatNames] as const, "--format");
  const { spec } = await readSource(source, io);
  const moe = moeShape(spec);
  if (moe === null) return refuse({ at: "--model", expected: "a model with routed experts", found: spec.name });
  const context = mapContext(spec, moe, file, ranks ?? null);
  const read = await readMapFile(fileReader(io), asked, context);
  return { map: read.map, format: read.format, context, model: spec, moe };
}
