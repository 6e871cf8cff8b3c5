import type { AttentionProgram } from "./attention-parts.ts";
import { emptyBatch, type RankBatch } from "./batch.ts";

/** Time that each data-parallel rank takes to mix the tokens of one step (attention, linear attention), by class of layer. */
export class MixingTime {
  /** [attention classes] mean wait for a layer's token mixing, had no rank computed prompts; of the last step with prompts. */
  readonly promptlessWaitNs: Float64Array;
  /** Whether a rank computes prompts in this step. */
  prompts = false;
  private readonly programs: readonly AttentionProgram[];
  private readonly dpRanks: number;
  /** [attention classes][data-parallel ranks] */
  private readonly mixNs: Float64Array;
  /** The decoding part of a batch. */
  private readonly promptless: RankBatch;

  constructor(programs: readonly AttentionProgram[], dpRanks: number, windows: number) {
    this.programs = programs;
    this.dpRanks = dpRanks;
    this.mixNs = new Float64Array(programs.length * dpRanks);
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

  /** Of a class of layers on a rank. */
  ns(mixing: number, dpRank: number): number {
    return this.mixNs[mixing * this.dpRanks + dpRank]!;
  }

  /** Mean over the ranks. */
  meanNs(mixing: number): number {
    let sum = 0;
    for (let g = 0; g < this.dpRanks; g++) sum += this.mixNs[mixing * this.dpRanks + g]!;
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
