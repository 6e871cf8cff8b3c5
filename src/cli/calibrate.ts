import { basename } from "node:path";
import { gatherSamples } from "../calibrate/kernel-tables/gather-samples.ts";
import { type CalibratedMap, calibrateKernels, type KernelCalibration } from "../calibrate/maps/calibrate-kernels.ts";
import { formatProblem, refuse } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { formatCount, formatPercent } from "../core/units.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import type { KernelMaps } from "../hardware/kernel-maps.ts";
import { deviceProfileNamed } from "../hardware/named-profiles.ts";
import { parseDeviceProfile } from "../hardware/read-profiles.ts";
import { resolveDevice } from "../hardware/resolve.ts";
import { textTable } from "../report/text-table.ts";
import { type Io, processIo } from "./io.ts";
import { progressLine } from "./progress.ts";

export interface CalibrateCliOptions {
  readonly from: readonly string[];
  readonly profile: string;
  readonly output?: string;
  readonly mkdir?: boolean;
  readonly mapsOnly?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export async function calibrate(options: CalibrateCliOptions, colour: boolean): Promise<void> {
  const io = processIo(colour);
  const profile = deviceProfileNamed(options.profile);
  if (options.output !== undefined) await prepareOutput(options.output, options);
  const progress = options.quiet === true ? null : progressLine(io, "kernel tables", "files");
  const gathered = await gatherSamples(options.from, {
    device: profile.id,
    ...(progress === null ? {} : { onProgress: progress.update }),
  }).finally(() => progress?.clear());
  if (gathered.samples.length === 0)
    refuse({ file: options.from.join(", "), expected: `tables of measured kernels of ${profile.id}`, found: "none" });
  const [skipped, ...others] = gathered.skipped;
  if (skipped !== undefined)
    io.err(
      `no kernels of ${profile.id} in ${skipped}${others.length > 0 ? ` and ${others.length} other files` : ""}\n`,
    );
  const date = new Date().toISOString().slice(0, 10);
  const calibration = calibrateKernels(gathered.samples, resolveDevice(profile), { date });
  if (options.output !== undefined) {
    const written = options.mapsOnly === true ? calibration.kernels : { ...profile, kernels: calibration.kernels };
    // What is written has to be a profile that every other command takes.
    parseDeviceProfile({ ...profile, kernels: calibration.kernels }, options.output);
    await io.writeText(options.output, `${mapsJson(written)}\n`);
    io.err(`wrote ${options.output}\n`);
  }
  io.out(options.json === true ? jsonDocument(documentOf(calibration)) : report(calibration, io));
}

/** The calibration as printed by `--json`. */
function documentOf({ kernels, maps }: KernelCalibration) {
  return {
    device: kernels.device,
    maps: maps.map(({ map, ...counts }) => ({ ...counts, launchNs: map?.launchNs ?? null, fit: map?.fit ?? null })),
    kernels,
  };
}

/** JSON with lists of numbers on one line. */
function mapsJson(value: KernelMaps | object): string {
  return JSON.stringify(value, null, 2).replace(
    /\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g,
    (_, list: string) => `[${list.replace(/,\s+/g, ", ")}]`,
  );
}

/** Refused rows that are named. */
const refusedShown = 3;

function report({ kernels, maps }: KernelCalibration, io: Io): string {
  const rows = maps.map((result) => [
    [result.family, result.engine, result.format].filter((part) => part !== null).join(" "),
    formatCount(result.rows),
    formatCount(result.shapes),
    formOf(result),
    ...errorsOf(result),
  ]);
  const table = textTable(
    [["kernels", "rows", "shapes", "form", "fit mean", "held out mean", "p90", "bias"].map(io.style.bold), ...rows],
    { align: ["left", "right", "right", "left", "right", "right", "right", "right"] },
  );
  const notes = maps.flatMap((result) => notesOf(result));
  return `${[`${io.style.bold(kernels.device)}: ${maps.length} kinds of kernels`, ...table, ...notes].join("\n")}\n`;
}

function formOf({ map }: CalibratedMap): string {
  if (map === null) return "none: no usable row";
  if (map.axes.length === 0) return "one number";
  return map.axes.map(({ name, knots }) => `${name} ${knots.length}`).join(" x ");
}

function errorsOf({ map }: CalibratedMap): string[] {
  const percent = (share: number | undefined) => (share === undefined ? "n/a" : formatPercent(share, 1));
  const held = map?.fit.heldOutError ?? undefined;
  return [percent(map?.fit.fitError.mean), percent(held?.mean), percent(held?.p90), percent(held?.bias)];
}

function notesOf({ family, format, engine, refused, cachedRows, hostRows, listedRows }: CalibratedMap): string[] {
  const name = [family, engine, format].filter((part) => part !== null).join(" ");
  const more = refused.length - refusedShown;
  return [
    ...refused
      .slice(0, refusedShown)
      .map(({ file, row, reason }) =>
        formatProblem({ file: basename(file), at: `row ${row}`, expected: "a possible time", hint: reason }),
      ),
    ...(more > 0 ? [`${name}: ${formatCount(more)} more rows beyond the physical peak`] : []),
    ...(cachedRows > 0
      ? [`${name}: ${formatCount(cachedRows)} rows left out, their operands sat in the last-level cache`]
      : []),
    ...(hostRows > 0 ? [`${name}: ${formatCount(hostRows)} rows left out, they time the launch from the host`] : []),
    ...(listedRows > 0
      ? [`${name}: ${formatCount(listedRows)} rows left out, of series known to time another kernel`]
      : []),
  ];
}
