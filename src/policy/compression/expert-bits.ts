import { InvalidInputError } from "../../core/errors.ts";
import { pow } from "../../core/pow.ts";
import { bitAllocation } from "../../solver/bit-allocation/bit-allocation.ts";
import type { Answer, SolveOptions, SolveRunner } from "../../solver/solver.ts";
import type { ExpertLosses } from "./expert-losses.ts";

export interface ExpertBitsInput extends ExpertLosses {
  readonly layers: number;
  readonly experts: number;
  /** [layers][experts] tokens that chose an expert. */
  readonly uses: ArrayLike<number>;
  /** [layers][experts] router weight that they gave it; null: it does not count. */
  readonly weights: ArrayLike<number> | null;
  /** Bits of a value, over the experts of a layer at most. */
  readonly average: number;
  readonly atLeastOnce: readonly number[];
  readonly exponents: { readonly uses: number; readonly weight: number; readonly loss: number };
}

export interface ExpertBits {
  /** [layers][experts] */
  readonly bits: Uint8Array;
  /** Over all experts; at most what was asked for, as bits of a layer are whole. */
  readonly average: number;
  /** Expected loss over all layers, and what no allocation is below. */
  readonly objective: number;
  readonly bound: number;
  readonly proved: boolean;
  readonly solver: string;
  /** Expected loss with the same bits given to the first experts: what the choice of experts is worth. */
  readonly inOrder: number;
}

/**
 * Pre-loading mixed-precision quantisation (PMQ of MC-MoE, arXiv 2410.06270; MC#, 2510.10962): in each layer experts get widths
 * that lose the least, an expert's loss counting by how often (uses) and how heavily (weight) it is chosen. Each factor is taken
 * as a share of its layer. The quantisation itself and what it does to answers are left out.
 */
export async function expertBits(
  input: ExpertBitsInput,
  solve: SolveRunner,
  options: SolveOptions = {},
): Promise<ExpertBits> {
  const { layers, experts, bits: widths, average, atLeastOnce } = input;
  const budget = Math.floor(average * experts + 1e-9);
  const bits = new Uint8Array(layers * experts);
  const answers: Answer<Uint8Array>[] = [];
  let inOrder = 0;
  for (let layer = 0; layer < layers; layer++) {
    const loss = weighedLoss(input, layer);
    try {
      const answer = await solve(bitAllocation, { experts, bits: widths, loss, budget, atLeastOnce }, options);
      answers.push(answer);
      for (let expert = 0; expert < experts; expert++)
        bits[layer * experts + expert] = widths[answer.solution[expert]!]!;
      const sorted = answer.solution.slice().sort().reverse();
      inOrder += sorted.reduce((sum, width, expert) => sum + loss[expert * widths.length + width]!, 0);
    } catch (error) {
      if (error instanceof InvalidInputError)
        throw new InvalidInputError(
          error.problems.map((problem) => ({ ...problem, at: `layer ${layer}: ${problem.at}` })),
        );
      throw error;
    }
  }
  const sum = (of: (answer: Answer<Uint8Array>) => number) => answers.reduce((total, answer) => total + of(answer), 0);
  return {
    bits,
    average: bits.reduce((total, width) => total + width, 0) / bits.length,
    objective: sum(({ objective }) => objective),
    bound: sum(({ bound }) => bound),
    proved: answers.every(({ proved }) => proved),
    solver: answers[0]?.solver ?? "",
    inOrder,
  };
}

/** [experts][bits] uses^a x weight^b x loss^c of a layer. */
function weighedLoss({ experts, bits, uses, weights, loss, exponents }: ExpertBitsInput, layer: number): Float64Array {
  const from = layer * experts;
  const total = (of: ArrayLike<number>): number => {
    let sum = 0;
    for (let expert = 0; expert < experts; expert++) sum += of[from + expert]!;
    return sum === 0 ? 1 : sum;
  };
  const [used, weighed] = [total(uses), weights === null ? 1 : total(weights)];
  return Float64Array.from({ length: experts * bits.length }, (_, at) => {
    const expert = from + Math.floor(at / bits.length);
    const weight = weights === null ? 1 : pow(weights[expert]! / weighed, exponents.weight);
    return (
      pow(uses[expert]! / used, exponents.uses) *
      weight *
      pow(loss[layer * experts * bits.length + at]!, exponents.loss)
    );
  });
}
