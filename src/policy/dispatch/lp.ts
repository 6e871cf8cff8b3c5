import { TokenSplitter } from "../../solver/lplb/split-tokens.ts";
import type { DispatchPolicy } from "./dispatch.ts";

/**
 * Tokens of each batch are divided so that the heaviest rank has as few as possible: the linear program of LPLB (DeepSeek; SGLang
 * `lp`), solved exactly, in whole tokens. LPLB takes five steps of an interior point method and then draws a copy for each token.
 * The time of solving, and the sum of counts over the ranks before it, are left out.
 */
export const lpDispatch: DispatchPolicy = {
  name: "lp",
  rule: "tokens of each batch divided by a linear program so that the heaviest rank has fewest (LPLB; SGLang lp)",
  parameters: {},
  needs: [],
  leavesOut:
    "the time to solve its linear program for every layer and batch, and the all-reduce of the counts before it",
  create: ({ layers, experts, ranks, copies: { starts, ranks: copyRank } }) => {
    const splitters = Array.from({ length: layers }, (_, layer) => {
      const base = layer * experts;
      const first = starts[base]!;
      const copyExpert = new Uint16Array(starts[base + experts]! - first);
      for (let expert = 0; expert < experts; expert++)
        copyExpert.fill(expert, starts[base + expert]! - first, starts[base + expert + 1]! - first);
      return new TokenSplitter(
        { experts, ranks, copyExpert, copyRank: copyRank.subarray(first, starts[base + experts]!) },
        true,
      );
    });
    return {
      share: (layer, { counts, from }, shares) => {
        const base = layer * experts;
        splitters[layer]!.split(
          counts.subarray(from, from + experts),
          shares.subarray(starts[base]!, starts[base + experts]!),
        );
      },
    };
  },
};
