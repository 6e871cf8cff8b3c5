import { tmpdir } from "node:os";
import { join } from "node:path";
import { fitLive } from "../calibrate/live/fit-live.ts";
import { liveScenario } from "../calibrate/live/live-scenario.ts";
import { chooseBackend } from "../capture/backends/backends.ts";
import { explainLiveFailure, refuseLargeExperts } from "../capture/live/live-memory.ts";
import { machineSetting, measureLive } from "../capture/measure/measure-live.ts";
import { steadyNs } from "../capture/measure/probe.ts";
import { type ExitCode, exitCodes } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { liveCalibrationText } from "../report/calibration-live.ts";
import { watchInterrupts } from "./interrupt.ts";
import { processIo } from "./io.ts";
import { liveShape } from "./live-shape.ts";
import { progressLine } from "./progress.ts";

/** Options of `calibrate --live`. */
export interface CalibrateLiveOptions {
  readonly backend?: string;
  readonly shape?: string;
  readonly batch?: number;
  readonly disk?: string;
  readonly seconds?: number;
  readonly output?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Measures this machine through a backend; prints the fit, and writes profiles of it and a scenario that uses them. */
export async function calibrateLive(options: CalibrateLiveOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  const { output } = options;
  const shape = liveShape(options.shape ?? "512x1024");
  const files = ["device.json", "engine.json", "measurements.json", "scenario.yaml"] as const;
  if (output !== undefined) for (const name of files) await prepareOutput(join(output, name), { mkdir: true });
  const backend = await chooseBackend(options.backend ?? "auto");
  const watch = watchInterrupts(io);
  const progress = options.quiet === true ? null : progressLine(io, `${backend.id} on ${backend.device}`, "%");
  try {
    refuseLargeExperts("calibrate --live", backend, shape);
    const measurements = await measureLive(backend, {
      ...machineSetting(shape, options.batch),
      diskFolder: options.disk ?? tmpdir(),
      seconds: options.seconds ?? 25,
      clock: steadyNs,
      date: new Date().toISOString().slice(0, 10),
      onProgress: (share) => progress?.update(Math.round(100 * share), 100),
      signal: watch.signal,
    });
    progress?.clear();
    const profile = fitLive(measurements);
    if (output !== undefined) {
      const contents = [profile.device, profile.engine, measurements].map((value) => jsonDocument(value));
      for (const [i, text] of [...contents, liveScenario(profile)].entries())
        await io.writeText(join(output, files[i]!), text);
      io.err(`wrote ${files.map((name) => join(output, name)).join(", ")}\n`);
    }
    io.out(options.json === true ? jsonDocument(profile) : liveCalibrationText(profile, io.style));
    return exitCodes.ok;
  } catch (error) {
    if (watch.ended(error)) {
      progress?.clear();
      io.err("calibrate --live: too little is measured for a profile; nothing is written\n");
      return watch.code();
    }
    throw explainLiveFailure("calibrate --live", error, "lower --shape or --batch");
  } finally {
    progress?.clear();
    watch.stop();
    backend.close();
  }
}
