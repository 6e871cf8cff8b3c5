import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { KernelSample } from "../../src/calibrate/kernel-tables/kernel-sample.ts";
import { KernelTable } from "../../src/calibrate/kernel-tables/kernel-table.ts";
import type { KernelTableReader } from "../../src/calibrate/kernel-tables/kernel-table-reader.ts";
import { mergeRepeats } from "../../src/calibrate/kernel-tables/merge-repeats.ts";
import { openTable, type TableRows } from "../../src/calibrate/kernel-tables/open-table.ts";
import type { CalibrationFamily } from "../../src/calibrate/maps/families/family.ts";
import { type FitSample, fitMap, type JudgedMap } from "../../src/calibrate/maps/fit-map.ts";
import { ProblemList } from "../../src/calibrate/measured/problem-list.ts";
import { type NominalRates, nominalRates } from "../../src/hardware/cost/mapped.ts";
import { EfficiencyLookup } from "../../src/hardware/efficiency-map.ts";
import { deviceIds, deviceNamed } from "../../src/hardware/named-profiles.ts";
import type { Op } from "../../src/hardware/op.ts";

/** A measured kernel with the row it came from. */
export interface RowSample extends KernelSample {
  readonly cells: Readonly<Record<string, unknown>>;
}

/** Table files of a folder whose names match. */
export function tableFiles(folder: string, name: RegExp): string[] {
  return readdirSync(folder)
    .filter((file) => name.test(file))
    .sort()
    .map((file) => join(folder, file));
}

/** Samples of a table, each with its row; throws InvalidInputError with all problems of the table. */
export async function rowSamples(file: string, reader: KernelTableReader): Promise<RowSample[]> {
  const rows: TableRows = await openTable(file);
  const problems = new ProblemList(file);
  const samples = reader.read(new KernelTable(file, rows, problems));
  problems.settle();
  return samples.map((sample) => ({ ...sample, cells: rows[sample.row - 1] ?? {} }));
}

/** Nominal rates of a device by id; null where there is no profile. */
export function ratesOf(id: string): NominalRates | null {
  return deviceIds.includes(id) ? nominalRates(deviceNamed(id)) : null;
}

export interface FittedFamily<O extends Op> {
  readonly judged: JudgedMap;
  /** Rows faster than the physical peak. */
  readonly refused: number;
  readonly ns: (op: O) => number;
}

/** A map of one family from the samples of one device, engine and format. */
export function fitFamily<O extends Op>(
  samples: readonly KernelSample[],
  family: CalibrationFamily<O>,
  rates: NominalRates,
): FittedFamily<O> {
  const merged = mergeRepeats(samples);
  const all = merged.map((sample): FitSample => {
    const op = sample.op as O;
    return {
      coordinates: family.shape.axes.map(({ of }) => of(op)),
      idealNs: family.shape.idealNs(op, rates),
      ns: sample.ns,
      weight: 1,
      shape: sample.shape,
    };
  });
  const possible = all.filter(({ idealNs, ns }) => idealNs <= ns);
  const judged = fitMap(possible, family.axes(merged.map(({ op }) => op as O)), family.options);
  const lookup = new EfficiencyLookup(judged.map);
  return {
    judged,
    refused: all.length - possible.length,
    ns: (op) => {
      const [a, b, c, d] = family.shape.axes.map(({ of }) => of(op));
      return judged.launchNs + family.shape.idealNs(op, rates) * lookup.slowdownAt(a, b, c, d);
    },
  };
}
