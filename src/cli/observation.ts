import { readMeasurement } from "../calibrate/measured/read-measurement.ts";
import type { Observation } from "../calibrate/observed/observe-deployment.ts";
import { sha256 } from "../core/digest.ts";
import type { Io } from "./io.ts";

/** Reads the file of `--observed`: serving points, a benchmark's result, or a run request by request. */
export async function readObservation(io: Io, file: string): Promise<Observation> {
  const text = await io.readText(file);
  return { measurement: readMeasurement(text, file), file, sha256: sha256(text) };
}
