import { InfeasibleError, MoecastError } from "../../core/errors.ts";

/** How the runtimes under the backends say that memory ran out: V8, WebAssembly, WebGPU, TensorFlow. */
const outOfMemory =
  /out of memory|memory access out of bounds|array buffer allocation failed|invalid (typed )?array length|failed to allocate|cannot enlarge memory|exceeds the max buffer size|OOM when allocating|RESOURCE_EXHAUSTED/i;

/**
 * What is thrown for an error while a layer was executed (null: while tokens were decoded): running out of memory becomes
 * a message that says what to lower.
 */
export function explainFailure(error: unknown, layer: number | null): unknown {
  if (error instanceof MoecastError || !(error instanceof Error) || !outOfMemory.test(error.message)) return error;
  return new InfeasibleError(
    `${layer === null ? "decoding" : `layer ${layer}`}: out of memory (${error.message}). ` +
      "Lower --memory, so that fewer tokens and experts are held at a time, or --max-length, whose square attention takes. " +
      "What was finished is kept: the same command goes on from there.",
  );
}
