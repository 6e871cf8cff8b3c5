import type { LiveShape } from "../../calibrate/measured/live-measurements.ts";
import { InfeasibleError, MoecastError } from "../../core/errors.ts";
import { sum } from "../../core/statistics.ts";
import { formatBytes, formatCount } from "../../core/units.ts";
import type { LiveSetting } from "../../validate/live/predict-live.ts";
import type { LoadedBackend } from "../backends/backend.ts";
import { isOutOfMemory } from "../backends/out-of-memory.ts";
import { measuredExperts } from "../measure/layer-measurement.ts";
import { matrixCopiesOf } from "../record/memory-plan.ts";
import { bankBytes, expertBytes } from "./expert-bank.ts";

/** Refuses experts with a matrix that is larger than a tensor of the backend may be. */
export function refuseLargeExperts(
  command: string,
  { id, tensorBytesMax }: LoadedBackend,
  { hidden, width }: LiveShape,
): void {
  const bytes = 4 * hidden * 2 * width;
  if (tensorBytesMax !== null && bytes > tensorBytesMax)
    throw new InfeasibleError(
      `${command}: one matrix of an expert of ${hidden} x ${width} takes ${formatBytes(bytes)} in float32, ` +
        `but a tensor of ${id} at most ${formatBytes(tensorBytesMax)}: lower --shape`,
    );
}

/** What is thrown for an error while layers were executed: running out of memory becomes a message that says what to lower. */
export function explainLiveFailure(command: string, error: unknown, advice: string): unknown {
  if (error instanceof MoecastError || !isOutOfMemory(error)) return error;
  return new InfeasibleError(`${command}: out of memory (${error.message}): ${advice}`);
}

/** A run that sends experts ahead is made beside one that does not. */
const runsOf = ({ prefetch }: LiveSetting): number => (prefetch === null ? 1 : 2);

/**
 * Upper bounds of what a run and the calibration beside it hold: experts on the device, with the copies that the backend
 * packs, and banks of weights in host memory.
 */
export function liveMemory({ id }: LoadedBackend, setting: LiveSetting) {
  const { table, shape, slots, batch, from } = setting;
  const streaming = Math.min(table.experts, batch * table.topK);
  const measured = measuredExperts(shape, slots * table.layers, streaming);
  // Each thread of a run that sends experts ahead has as many as a token chooses for the calibration.
  const threadExperts = setting.prefetch === null ? 0 : 2 * table.topK;
  const runExperts = (runsOf(setting) * (slots * table.layers + streaming) + threadExperts) * expertBytes(shape);
  const calibrationExperts = sum(measured.map(({ of, resident }) => (resident + streaming) * expertBytes(of)));
  return {
    deviceBytes: (1 + matrixCopiesOf(id)) * (runExperts + calibrationExperts),
    hostBytes:
      (from === "host" ? bankBytes(shape, table.layers * table.experts) : 0) +
      sum(measured.map(({ of, resident }) => bankBytes(of, resident))),
  };
}

/** What a run will hold, in a line. */
export function memoryLine(backend: LoadedBackend, setting: LiveSetting): string {
  const { table, shape, slots } = setting;
  const { deviceBytes, hostBytes } = liveMemory(backend, setting);
  return (
    `${backend.id} on ${backend.device}: ${formatCount(runsOf(setting) * slots * table.layers)} experts of ${formatBytes(expertBytes(shape))} on the device, ` +
    `at most ${formatBytes(deviceBytes)} with the calibration's; ${formatBytes(hostBytes)} in host memory\n`
  );
}

/** Refuses more experts than the backend holds. */
export function refuseManyExperts(command: string, backend: LoadedBackend, setting: LiveSetting): void {
  const { id, memoryBytes } = backend;
  const { deviceBytes } = liveMemory(backend, setting);
  if (memoryBytes !== null && deviceBytes > memoryBytes)
    throw new InfeasibleError(
      `${command}: ${formatBytes(deviceBytes)} for ${setting.slots} experts in each of ${setting.table.layers} layers and the ` +
        `calibration's, but ${id} has ${formatBytes(memoryBytes)}: lower --slots or --shape`,
    );
}
