import type { LoadedBackend } from "../capture/backends/backend.ts";
import { isOutOfMemory } from "../capture/backends/out-of-memory.ts";
import { bankBytes, expertBytes } from "../capture/live/expert-bank.ts";
import { InfeasibleError, MoecastError } from "../core/errors.ts";
import { formatBytes, formatCount } from "../core/units.ts";
import type { LiveShape } from "../forecast/measured/live-measurements.ts";
import type { LiveSetting } from "../forecast/validation/predict-live.ts";

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

/** A product may keep a second, rearranged copy of its weights (wasm does), and the calibration as many experts as the run. */
const copiesOnDevice = 2 * 2;

function deviceBytes({ table, shape, slots, batch }: LiveSetting): number {
  const streaming = Math.min(table.experts, batch * table.topK);
  return copiesOnDevice * expertBytes(shape) * (slots * table.layers + streaming);
}

/** What a run will hold, in a line. */
export function memoryLine(backend: LoadedBackend, setting: LiveSetting): string {
  const { table, shape, slots } = setting;
  const host = setting.from === "host" ? bankBytes(shape, table.layers * table.experts) : 0;
  return (
    `${backend.id} on ${backend.device}: ${formatCount(slots * table.layers)} experts of ${formatBytes(expertBytes(shape))} on the device, ` +
    `at most ${formatBytes(deviceBytes(setting))}; ${formatBytes(host)} in host memory\n`
  );
}

/** Refuses more experts than the backend holds. */
export function refuseManyExperts({ memoryBytes, id }: LoadedBackend, setting: LiveSetting): void {
  const bytes = deviceBytes(setting);
  if (memoryBytes !== null && bytes > memoryBytes)
    throw new InfeasibleError(
      `validate --live: ${formatBytes(bytes)} for ${setting.slots} experts in each of ${setting.table.layers} layers, ` +
        `but ${id} has ${formatBytes(memoryBytes)}: lower --slots or --shape`,
    );
}
