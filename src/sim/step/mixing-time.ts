import type { AttentionProgram } from "./attention-parts.ts";
import { emptyBatch, halveBatch, type RankBatch } from "./batch.ts";

/**
 * Time that each data-parallel rank takes to mix the tokens of one step (attention, linear attention), by class of
 * layer.
 */
export class MixingTime {
  /**
   * [attention classes] mean wait for a layer's token mixing, had no rank computed prompts; of the last step with
   * prompts.
   */
  readonly promptlessWaitNs: Float64Array;
  /** Whether a rank computes prompts in this step. */
  prompts = false;
  private readonly programs: readonly AttentionProgram[];
  private readonly dpRanks: number;
  /** [attention classes][data-parallel ranks] */
  private readonly mixNs: Float64Array;
  /** The same for each half of the batches, where steps may run as two. */
  private readonly halfNs: Float64Array;
  /**
   * [attention classes] the half of the slowest rank: its time, that of products before scores, that of what is no
   * product.
   */
  readonly slowestHalfNs: Float64Array;
  readonly slowestPrepareNs: Float64Array;
  readonly slowestScoresNs: Float64Array;
  private readonly half: RankBatch;
  /** The decoding part of a batch. */
  private readonly promptless: RankBatch;

  constructor(programs: readonly AttentionProgram[], dpRanks: number, windows: number) {
    this.programs = programs;
    this.dpRanks = dpRanks;
    this.mixNs = new Float64Array(programs.length * dpRanks);
    this.halfNs = new Float64Array(programs.length * dpRanks);
    this.slowestHalfNs = new Float64Array(programs.length);
    this.slowestPrepareNs = new Float64Array(programs.length);
    this.slowestScoresNs = new Float64Array(programs.length);
    this.half = emptyBatch(windows);
    this.promptlessWaitNs = new Float64Array(programs.length);
    this.promptless = emptyBatch(windows);
  }

  /** Times a step, one batch per rank. */
  prepare(batches: readonly RankBatch[]): void {
    const { dpRanks } = this;
    this.prompts = false;
    for (const batch of batches) this.prompts ||= batch.prefillTokens > 0;
    for (let a = 0; a < this.programs.length; a++) {
      const program = this.programs[a]!;
      for (let g = 0; g < dpRanks; g++) this.mixNs[a * dpRanks + g] = program.ns(batches[g]!);
      if (this.prompts && dpRanks > 1) this.promptlessWaitNs[a] = this.waitWithoutPrompts(program, a, batches);
    }
  }

  /** Times the same step in layers that run it as two half batches, their products on a share of the multiprocessors. */
  prepareHalves(batches: readonly RankBatch[]): void {
    const { half, dpRanks } = this;
    for (let a = 0; a < this.programs.length; a++) {
      const program = this.programs[a]!;
      let slowest = -1;
      for (let g = 0; g < dpRanks; g++) {
        halveBatch(half, batches[g]!);
        const ns = program.ns(half);
        this.halfNs[a * dpRanks + g] = ns;
        if (ns <= slowest) continue;
        slowest = ns;
        this.slowestHalfNs[a] = ns;
        this.slowestScoresNs[a] = ns - program.productsNs(half);
        this.slowestPrepareNs[a] = program.prepareNs(half);
      }
    }
  }

  /** Of a class of layers on a rank; `halves`: one half batch after the other. */
  ns(mixing: number, dpRank: number, halves: boolean): number {
    const at = mixing * this.dpRanks + dpRank;
    return halves ? 2 * this.halfNs[at]! : this.mixNs[at]!;
  }

  /** Mean over the ranks. */
  meanNs(mixing: number, halves: boolean): number {
    let sum = 0;
    for (let g = 0; g < this.dpRanks; g++) sum += this.ns(mixing, g, halves);
    return sum / this.dpRanks;
  }

  /** Mean wait of ranks for the slowest, if each mixed its decoded tokens only, ns. */
  private waitWithoutPrompts(program: AttentionProgram, mixing: number, batches: readonly RankBatch[]): number {
    const { promptless, dpRanks } = this;
    let max = 0;
    let sum = 0;
    for (let g = 0; g < dpRanks; g++) {
      const batch = batches[g]!;
      let ns = this.mixNs[mixing * dpRanks + g]!;
      if (batch.prefillTokens > 0) {
        promptless.tokens = promptless.decodeTokens = batch.decodeTokens;
        promptless.sequences = promptless.decodeSequences = batch.decodeSequences;
        promptless.decodeKeys.set(batch.decodeKeys);
        promptless.decodePairs.set(batch.decodePairs);
        ns = batch.decodeTokens === 0 ? 0 : program.ns(promptless);
      }
      sum += ns;
      if (ns > max) max = ns;
    }
    return max - sum / dpRanks;
  }
}
