import type { StorageFormat } from "../../core/dtype.ts";
import { type MappedShape, type NominalRates, nominalRates } from "../../hardware/cost/mapped.ts";
import type { Device } from "../../hardware/device.ts";
import {
  chooseMap,
  type KernelError,
  type KernelFamily,
  type KernelMap,
  type KernelMaps,
  kernelFamilies,
} from "../../hardware/kernel-maps.ts";
import type { Op } from "../../hardware/op.ts";
import type { KernelSample } from "../kernel-tables/kernel-sample.ts";
import { listedKernel } from "../kernel-tables/listed-kernels.ts";
import { mergeRepeats } from "../kernel-tables/merge-repeats.ts";
import { physicalVerdict } from "../kernel-tables/physical-bound.ts";
import { untunedRows } from "../kernel-tables/untuned-layouts.ts";
import type { CalibrationFamily } from "./families/family.ts";
import { calibrationFamilies } from "./families.ts";
import { type FitOptions, type FitSample, fitMap, splitRule } from "./fit-map.ts";
import { splitHostBound } from "./host-bound.ts";
import { type BrokenLaw, brokenLaws } from "./kernel-laws.ts";
import { rounded } from "./knots.ts";

/** A row of a table that no map was fitted to, and why. */
export interface RefusedRow {
  readonly file: string;
  readonly row: number;
  readonly reason: string;
}

/** One map that was fitted, or could not be. */
export interface CalibratedMap {
  readonly family: KernelFamily;
  readonly engine: string | null;
  readonly format: StorageFormat | null;
  /** Kernels fitted to, repeated measurements counted once. */
  readonly rows: number;
  readonly shapes: number;
  /** Faster than the device can be. */
  readonly refused: readonly RefusedRow[];
  /** Rows left out because they found their operands in the last-level cache. */
  readonly cachedRows: number;
  /** Rows left out because they time the launch from the host. */
  readonly hostRows: number;
  /** Rows of series that are known to time another kernel. */
  readonly listedRows: number;
  /** Rows of layouts whose kernels nobody tuned: slower than larger ones. */
  readonly untunedRows: number;
  /** Null where no row is left to fit to. */
  readonly map: KernelMap | null;
}

/** The kernel maps of a device, and how each came about. */
export interface KernelCalibration {
  readonly kernels: KernelMaps;
  readonly maps: readonly CalibratedMap[];
  /** Maps of expert kernels that time another kernel than their neighbours, if laws between them are broken. */
  readonly brokenLaws: readonly BrokenLaw[];
}

export interface CalibrationOptions {
  /** Day of the fit, YYYY-MM-DD. */
  readonly date?: string;
}

/** Fits the maps of every family, engine and format that there are samples of. All samples are of `device`. */
export function calibrateKernels(
  samples: readonly KernelSample[],
  device: Device,
  options: CalibrationOptions = {},
): KernelCalibration {
  const rates = nominalRates(device);
  const maps: CalibratedMap[] = [];
  for (const family of kernelFamilies) {
    const ofFamily = samples.filter((sample) => sample.family === family);
    const merged = mergeRepeats(ofFamily.filter((sample) => listedKernel(sample) === null));
    if (merged.length === 0) continue;
    const { shape } = calibrationFamilies[family] as CalibrationFamily;
    const untuned = untunedRows(merged.filter((sample) => physicalVerdict(sample, shape, rates).kind === "possible"));
    const all = merged.filter((sample) => !untuned.has(sample));
    const listed = mapGroups(
      family,
      ofFamily.filter((sample) => listedKernel(sample) !== null),
    );
    const leftAside = mapGroups(family, [...untuned]);
    const { device: timed, host } = splitHostBound(all, ({ op }) => shape.idealNs(op, rates));
    const groups = [...mapGroups(family, all).values()].sort((a, b) => hostShare(a, host) - hostShare(b, host));
    const kept = new Set(timed);
    const fitted: KernelMap[] = [];
    for (const group of groups) {
      const listedRows = listed.get(groupId(group))?.samples.length ?? 0;
      const untunedOf = leftAside.get(groupId(group))?.samples.length ?? 0;
      const result = { ...calibrateGroup(group, kept, fitted, rates, options), listedRows, untunedRows: untunedOf };
      maps.push(result);
      if (result.map !== null) fitted.push(result.map);
    }
  }
  const kernels: KernelMaps = { device: device.id, maps: maps.flatMap(({ map }) => map ?? []) };
  return { kernels, maps, brokenLaws: brokenLaws({ ...device, kernels }) };
}

interface MapGroup {
  readonly family: KernelFamily;
  readonly engine: string | null;
  readonly format: StorageFormat | null;
  readonly samples: KernelSample[];
}

/** Samples by the map they belong to. */
function mapGroups(family: KernelFamily, samples: readonly KernelSample[]): Map<string, MapGroup> {
  const { byEngine, format } = calibrationFamilies[family] as CalibrationFamily;
  const groups = new Map<string, MapGroup>();
  for (const sample of samples) {
    const engine = byEngine ? sample.engine : null;
    const key = { engine, format: format(sample.op) ?? null };
    const id = groupId(key);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { family, ...key, samples: [sample] });
    else group.samples.push(sample);
  }
  return groups;
}

function groupId({ engine, format }: Pick<MapGroup, "engine" | "format">): string {
  return `${engine} ${format}`;
}

function hostShare(group: MapGroup, host: readonly KernelSample[]): number {
  const set = new Set(host);
  return group.samples.filter((sample) => set.has(sample)).length / group.samples.length;
}

function calibrateGroup(
  group: MapGroup,
  timed: ReadonlySet<KernelSample>,
  fitted: readonly KernelMap[],
  rates: NominalRates,
  { date }: CalibrationOptions,
): Omit<CalibratedMap, "listedRows" | "untunedRows"> {
  const { family, engine, format } = group;
  const { shape, axes, options } = calibrationFamilies[family] as CalibrationFamily;
  const refused: RefusedRow[] = [];
  const usable: KernelSample[] = [];
  let cachedRows = 0;
  let hostRows = 0;
  for (const sample of group.samples) {
    const verdict = physicalVerdict(sample, shape, rates);
    if (verdict.kind === "impossible") refused.push({ file: sample.file, row: sample.row, reason: verdict.reason });
    else if (verdict.kind === "cached") cachedRows++;
    else if (!timed.has(sample)) hostRows++;
    else usable.push(sample);
  }
  const counts = { family, engine, format, rows: usable.length, refused, cachedRows, hostRows };
  if (usable.length === 0) return { ...counts, shapes: 0, map: null };
  // A table that times the host at small shapes says nothing about them: there the nearest format's map holds.
  const prior = hostRows === 0 ? null : chooseMap({ device: rates.device.id, maps: fitted }, family, engine, format);
  const judged = fitMap(fitSamples(usable, shape, rates), axes(usable.map(({ op }) => op)), {
    ...options,
    ...(prior === null ? {} : priorOptions(prior.map)),
  });
  const map: KernelMap = {
    family,
    ...(engine === null ? {} : { engine }),
    ...(format === null ? {} : { format }),
    launchNs: rounded(judged.launchNs, 4),
    ...(judged.writeNs > 0 ? { writeNs: rounded(judged.writeNs) } : {}),
    axes: judged.map.axes,
    efficiency: judged.map.efficiency.map((share) => Math.min(1, rounded(share))),
    fit: {
      tables: tablesOf(usable),
      ...(date === undefined ? {} : { date }),
      split: splitRule,
      rows: judged.rows,
      shapes: judged.shapes,
      fitError: roundedError(judged.fitError),
      heldOutError: judged.heldOutError === null ? null : roundedError(judged.heldOutError),
    },
  };
  return { ...counts, shapes: judged.shapes, map };
}

function priorOptions(map: KernelMap): FitOptions {
  return { prior: map, launchNs: [map.launchNs, map.launchNs] };
}

/** Samples as the fit sees them. */
export function fitSamples<O extends Op>(
  samples: readonly KernelSample[],
  shape: MappedShape<O>,
  rates: NominalRates,
): FitSample[] {
  return samples.map(({ op, ns, shape: name }) => ({
    coordinates: shape.axes.map((axis) => axis.of(op as O)),
    idealNs: shape.idealNs(op as O, rates),
    ...(shape.writes === undefined ? {} : { writes: shape.writes(op as O) }),
    ns,
    weight: 1,
    shape: name,
  }));
}

/** Tables by name, each with the version its rows carry. */
function tablesOf(samples: readonly KernelSample[]): KernelMap["fit"]["tables"] {
  const versions = new Map<string, string>();
  for (const { file, version } of samples) versions.set(file, version);
  return Array.from(versions, ([file, version]) => ({ name: file.split(/[\\/]/).at(-1) ?? file, version })).sort(
    (a, b) => (a.name < b.name ? -1 : 1),
  );
}

function roundedError(error: KernelError): KernelError {
  const digits = (value: number) => rounded(value);
  return {
    rows: error.rows,
    mean: digits(error.mean),
    median: digits(error.median),
    p90: digits(error.p90),
    bias: digits(error.bias),
  };
}
