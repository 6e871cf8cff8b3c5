import { type JobStatus, jobStatuses, type Outcome } from "../../job/job.ts";
import { outcomeFigures } from "../../job/outcome-figures.ts";
import { refused } from "../../job/run-job.ts";

/** A job as it lies in the queue, under its key. */
export interface QueuedJob {
  /** Digest of the base that its settings are laid over. */
  readonly base: string;
  readonly settings: readonly string[];
}

/** A file or folder with the digest of its content; the path itself where there is nothing. */
export type InputDigest = readonly [path: string, digest: string];

/** What a worker says of a job: its outcome, or that it has other files than the sweep. */
export type QueuedResult =
  | { readonly outcome: Outcome }
  | { readonly host: string; readonly inputs: readonly InputDigest[] };

/** Bytes of a result: an outcome takes one or two thousand. */
const resultBytesMax = 64 * 1024;
/** Bytes of a job: its settings. */
export const jobBytesMax = 256 * 1024;

/** The same result, or a refused one where it would take more than its share of Redis. */
export function bounded(result: QueuedResult): QueuedResult {
  const bytes = Buffer.byteLength(JSON.stringify(result));
  if (bytes <= resultBytesMax) return result;
  return { outcome: refused("failed", `its result takes ${bytes} bytes of a queue, more than ${resultBytesMax}`) };
}

/** null for what moecast did not write. */
export function readQueuedJob(value: unknown): QueuedJob | null {
  const { base, settings } = fieldsOf(value);
  return typeof base === "string" && isTexts(settings) ? { base, settings } : null;
}

/** null for what moecast did not write. */
export function readQueuedResult(value: unknown): QueuedResult | null {
  const { outcome, host, inputs } = fieldsOf(value);
  if (typeof host === "string" && Array.isArray(inputs))
    return inputs.every((pair) => isTexts(pair) && pair.length === 2)
      ? { host, inputs: inputs as InputDigest[] }
      : null;
  const found = readOutcome(outcome);
  return found === null ? null : { outcome: found };
}

const verdicts: readonly unknown[] = ["stable", "overloaded", "tooShort", null];

function readOutcome(value: unknown): Outcome | null {
  const { status, reason, verdict, passed, binding, strain, strainAtBest, figures } = fieldsOf(value);
  const sound =
    jobStatuses.includes(status as JobStatus) &&
    (reason === null || typeof reason === "string") &&
    verdicts.includes(verdict) &&
    (passed === null || typeof passed === "boolean") &&
    (binding === null || typeof binding === "string") &&
    isNumberOrNull(strain) &&
    isNumberOrNull(strainAtBest) &&
    Array.isArray(figures) &&
    figures.length === (status === "done" ? outcomeFigures.length : 0) &&
    figures.every(isNumberOrNull);
  return sound ? ({ status, reason, verdict, passed, binding, strain, strainAtBest, figures } as Outcome) : null;
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

const isNumberOrNull = (value: unknown): boolean => value === null || typeof value === "number";
