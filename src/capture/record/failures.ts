import { InfeasibleError, MoecastError } from "../../core/errors.ts";
import { isOutOfMemory } from "../backends/out-of-memory.ts";

/**
 * What is thrown for an error while a layer was executed (null: while tokens were decoded): running out of memory becomes
 * a message that says what to lower.
 */
export function explainFailure(error: unknown, layer: number | null): unknown {
  if (error instanceof MoecastError || !isOutOfMemory(error)) return error;
  return new InfeasibleError(
    `${layer === null ? "decoding" : `layer ${layer}`}: out of memory (${error.message}). ` +
      "Lower --memory, so that fewer tokens and experts are held at a time, or --max-length, whose square attention takes. " +
      "What was finished is kept: the same command goes on from there.",
  );
}
