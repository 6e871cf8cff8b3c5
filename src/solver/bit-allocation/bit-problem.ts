import type { Problem } from "../../core/errors.ts";
import { pow } from "../../core/pow.ts";

/**
 * Widths for the experts of a layer: each gets one of `bits`, together at most `budget`, at the least loss. Widths in
 * `atLeastOnce` go to one expert or more. The integer program of PMQ (arXiv 2410.06270) for one layer.
 */
export interface BitProblem {
  readonly experts: number;
  /** Widths to choose from, whole bits, ascending. */
  readonly bits: readonly number[];
  /** [experts][bits] what an expert loses at each width. */
  readonly loss: Float64Array;
  /** Most bits of all experts together. */
  readonly budget: number;
  /** Widths that somebody must have. */
  readonly atLeastOnce: readonly number[];
}

/** [experts] index of the width of each expert among `bits`. */
export type BitChoice = Uint8Array;

/** States of the dynamic program at most: budget x 2^(widths that somebody must have). */
const statesMax = 1 << 22;

export function bitProblems({ experts, bits, loss, budget, atLeastOnce }: BitProblem): Problem[] {
  const problems: Problem[] = [];
  const expect = (holds: boolean, at: string, expected: string, found: unknown): void => {
    if (!holds) problems.push({ at, expected, found });
  };
  expect(Number.isInteger(experts) && experts > 0, "experts", "one or more", experts);
  const ascending = bits.every((width, i) => Number.isInteger(width) && width > (bits[i - 1] ?? 0) && width <= 32);
  expect(bits.length > 0 && ascending, "bits", "whole widths from 1 to 32, ascending", bits.join(","));
  expect(loss.length === experts * bits.length, "loss", `${experts} x ${bits.length} values`, loss.length);
  const bad = loss.findIndex((value) => !(value >= 0 && value < Infinity));
  expect(bad < 0, `loss[${Math.floor(bad / bits.length)}][${bad % bits.length}]`, "a finite loss >= 0", loss[bad]);
  expect(
    atLeastOnce.every((width) => bits.includes(width)) && new Set(atLeastOnce).size === atLeastOnce.length,
    "atLeastOnce",
    `different ones of ${bits.join(", ")}`,
    atLeastOnce.join(","),
  );
  expect(
    atLeastOnce.length <= experts,
    "atLeastOnce",
    `at most ${experts} widths, one for each expert`,
    atLeastOnce.length,
  );
  expect(Number.isInteger(budget), "budget", "whole bits", budget);
  if (problems.length > 0) return problems;
  const least = atLeastOnce.reduce((sum, width) => sum + width, (experts - atLeastOnce.length) * bits[0]!);
  expect(budget >= least, "budget", `at least ${least} bits for ${experts} experts`, budget);
  const states = (Math.min(budget, experts * bits.at(-1)!) + 1) * pow(2, atLeastOnce.length) * experts;
  expect(
    states <= statesMax,
    "experts",
    `experts x budget x 2^(widths that somebody must have) up to ${statesMax}`,
    states,
  );
  return problems;
}

export function lossOf({ bits, loss }: BitProblem, choice: BitChoice): number {
  return choice.reduce((sum, width, expert) => sum + loss[expert * bits.length + width]!, 0);
}

export function bitViolation({ experts, bits, budget, atLeastOnce }: BitProblem, choice: BitChoice): string | null {
  if (choice.length !== experts || choice.some((width) => width >= bits.length)) return "not a width for each expert";
  const spent = choice.reduce((sum, width) => sum + bits[width]!, 0);
  if (spent > budget) return `${spent} bits of ${budget}`;
  const missing = atLeastOnce.find((width) => !choice.some((index) => bits[index] === width));
  return missing === undefined ? null : `no expert has ${missing} bits`;
}

/** Every expert at the width at which it loses least, whatever the budget. */
export function freeLoss({ experts, bits, loss }: BitProblem): number {
  let sum = 0;
  for (let expert = 0; expert < experts; expert++) {
    let least = Infinity;
    for (let width = 0; width < bits.length; width++) least = Math.min(least, loss[expert * bits.length + width]!);
    sum += least;
  }
  return sum;
}
