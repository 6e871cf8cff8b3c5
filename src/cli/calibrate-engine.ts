import { basename } from "node:path";
import { calibrateEngines } from "../calibrate/engine/calibrate-engine.ts";
import { fittedProfile } from "../calibrate/engine/fitted-profile.ts";
import { loadMeasurement } from "../calibrate/measured/read-measurement.ts";
import { refuse, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { engineProfileNamed, parseEngineProfile } from "../engine/catalogue.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { engineCalibrationText } from "../report/calibration-engine.ts";
import type { CalibrateCliOptions } from "./calibrate.ts";
import { processIo } from "./io.ts";

/**
 * Fits an engine profile to a table of measured serving points. Every engine of the table takes part, because engines
 * share what they have in common; the one that is named is printed and written.
 */
export async function calibrateEngine(options: CalibrateCliOptions, colour: boolean): Promise<void> {
  const io = processIo(colour);
  const [file = "", ...others] = options.from;
  if (others.length > 0 || options.mapsOnly === true)
    throw new UsageError("calibrate: an engine takes one table of serving points, and has no kernel maps");
  const profile = engineProfileNamed(options.profile);
  if (options.output !== undefined) await prepareOutput(options.output, options);
  const { measurement } = await loadMeasurement(file);
  if (measurement.kind !== "points")
    return refuse({ file, expected: "a table of serving points", found: `a ${measurement.kind}` });
  const calibration = calibrateEngines(measurement.points, profile.id).find(({ engine }) => engine.id === profile.id);
  if (calibration === undefined)
    return refuse({ file, expected: `serving points of ${profile.id} with a TPOT`, found: "none" });
  const table = { name: basename(file), date: new Date().toISOString().slice(0, 10) };
  const fitted = parseEngineProfile(fittedProfile(profile, calibration, table), options.output ?? profile.id);
  if (options.output !== undefined) {
    await io.writeText(options.output, jsonDocument(fitted));
    io.err(`wrote ${options.output}\n`);
  }
  io.out(options.json === true ? jsonDocument(fitted) : engineCalibrationText(calibration, io.style));
}
