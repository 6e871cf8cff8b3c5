import { MoecastError } from "../../core/errors.ts";

/** What is said of an error: a refusal as it is, anything else as a defect. */
export function messageOf(error: unknown): string {
  if (error instanceof MoecastError) return error.message;
  return `internal error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
