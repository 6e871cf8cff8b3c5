import { phases } from "../container/trace-tensors.ts";
import type { StepGrouping } from "./importer.ts";

/** Where a row of a batch step belongs. */
export interface RowGroup {
  /** Raw sequence number, unique over all steps. */
  readonly sequence: number;
  readonly position: number;
  readonly phase: number;
}

/** The rule of {@link groupSteps}, as the header of the trace states it. */
export const groupingRules = {
  auto:
    "rows carry no request id; a step of more than twice the median number of rows is taken for prefill and is one " +
    "sequence in row order, the others for decode: over consecutive steps of equal size each slot is one sequence",
  slots: "rows carry no request id; over consecutive steps of equal size each slot is one sequence",
  steps: "rows carry no request id; each step is one sequence in row order",
} as const satisfies Record<StepGrouping, string>;

/**
 * Groups the rows of recorded steps into sequences when nothing names the request. Decode batches keep a request in its
 * slot from step to step as long as none joins or leaves, so slots are followed through steps of equal size.
 */
export function groupSteps(sizes: readonly number[], grouping: StepGrouping): (step: number, slot: number) => RowGroup {
  const decodeMax = decodeSizeMax(sizes);
  const isPrefill = (size: number) => grouping === "steps" || (grouping === "auto" && size > decodeMax);
  const first: number[] = [];
  const position: number[] = [];
  let sequences = 0;
  for (const [step, size] of sizes.entries()) {
    const continues = step > 0 && !isPrefill(size) && sizes[step - 1] === size;
    first.push(continues ? (first[step - 1] ?? 0) : sequences);
    position.push(continues ? (position[step - 1] ?? 0) + 1 : 0);
    if (!continues) sequences += isPrefill(size) ? 1 : size;
  }
  return (step, slot) => {
    const start = first[step] ?? 0;
    if (isPrefill(sizes[step] ?? 0))
      return { sequence: start, position: slot, phase: grouping === "auto" ? phases.prefill : phases.unknown };
    const phase = grouping === "auto" ? phases.decode : phases.unknown;
    return { sequence: start + slot, position: position[step] ?? 0, phase };
  };
}

/** Rows of the largest step that `auto` does not take for prefill: twice the median. */
export function decodeSizeMax(sizes: readonly number[]): number {
  const ordered = [...sizes].sort((a, b) => a - b);
  return 2 * (ordered[Math.floor(ordered.length / 2)] ?? 0);
}
