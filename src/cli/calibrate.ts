import { gatherSamples } from "../calibrate/kernel-tables/gather-samples.ts";
import { calibrateKernels, type KernelCalibration } from "../calibrate/maps/calibrate-kernels.ts";
import { refuse } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import type { KernelMaps } from "../hardware/kernel-maps.ts";
import { deviceProfileNamed } from "../hardware/named-profiles.ts";
import { parseDeviceProfile } from "../hardware/read-profiles.ts";
import { resolveDevice } from "../hardware/resolve.ts";
import { kernelCalibrationText } from "../report/calibration-kernels.ts";
import { processIo } from "./io.ts";
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
  io.out(options.json === true ? jsonDocument(documentOf(calibration)) : kernelCalibrationText(calibration, io.style));
}

/** The calibration as printed by `--json`. */
function documentOf({ kernels, maps, brokenLaws }: KernelCalibration) {
  return {
    device: kernels.device,
    maps: maps.map(({ map, ...counts }) => ({ ...counts, launchNs: map?.launchNs ?? null, fit: map?.fit ?? null })),
    brokenLaws,
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
