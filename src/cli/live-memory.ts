import type { LoadedBackend } from "../capture/backends/backend.ts";
import { isOutOfMemory } from "../capture/backends/out-of-memory.ts";
import { InfeasibleError, MoecastError } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import type { LiveShape } from "../forecast/measured/live-measurements.ts";

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
