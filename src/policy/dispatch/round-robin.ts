import type { DispatchPolicy } from "./dispatch.ts";
import { perExpert } from "./per-expert.ts";

/**
 * The copies of an expert take its tokens in turn. Shares differ by a token at most, and the remainder goes to the first copies
 * after a rotation by the expert id. vLLM takes the copy "position in the batch mod copies", which gives the same shares but for
 * chance; that chance is left out.
 */
export const roundRobinDispatch: DispatchPolicy = {
  name: "round-robin",
  rule: "copies of an expert take its tokens in turn, so that they share them evenly",
  parameters: {},
  needs: [],
  create: ({ copies, experts }) =>
    perExpert(copies, experts, (expert, first, count, tokens, shares) =>
      shareEvenly(tokens, first, count, expert, shares),
    ),
};

/** Adds even shares of `tokens` to those of `count` copies; the ones from `turn` on, round and round, take the remainder. */
export function shareEvenly(tokens: number, first: number, count: number, turn: number, shares: Float64Array): void {
  const each = Math.floor(tokens / count);
  const left = tokens - each * count;
  let copy = turn % count;
  for (let i = 0; i < count; i++) {
    shares[first + copy]! += i < left ? each + 1 : each;
    if (++copy === count) copy = 0;
  }
}
