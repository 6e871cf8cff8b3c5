import { binomial } from "../../core/binomial.ts";
import { RandomStream } from "../../core/random.ts";
import type { DispatchPolicy } from "./dispatch.ts";
import { perExpert } from "./per-expert.ts";

/** Each token takes a copy of its expert at random, every one equally likely: SGLang's `dynamic`. */
export const randomDispatch: DispatchPolicy = {
  name: "random",
  rule: "each token takes a copy of its expert at random (SGLang dynamic)",
  parameters: {},
  needs: [],
  remembers: true,
  create: ({ copies, experts, seed }) => {
    const stream = new RandomStream(seed, "dispatch");
    return perExpert(copies, experts, (_expert, first, count, tokens, shares) => {
      let left = tokens;
      for (let i = 0; i < count - 1; i++) {
        const share = binomial(stream, left, 1 / (count - i));
        shares[first + i] = share;
        left -= share;
      }
      shares[first + count - 1] = left;
    });
  },
};
