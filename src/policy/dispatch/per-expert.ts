import type { ExpertCopies } from "../placement/placement-measures.ts";
import type { Dispatcher, LayerTokens } from "./dispatch.ts";

/**
 * Adds the tokens of an expert of a layer to the shares of its `count` copies from `first` on. Asked of experts with several copies
 * and with tokens only.
 */
export type Divide = (
  expert: number,
  first: number,
  count: number,
  tokens: number,
  shares: Float64Array,
  all: LayerTokens,
  layer: number,
) => void;

/** A dispatcher that divides expert by expert. */
export function perExpert({ starts }: ExpertCopies, experts: number, divide: Divide): Dispatcher {
  return {
    share: (layer, tokens, shares) => {
      const { counts, from } = tokens;
      const base = layer * experts;
      let first = starts[base]!;
      shares.fill(0, first, starts[base + experts]!);
      for (let expert = 0; expert < experts; expert++) {
        const end = starts[base + expert + 1]!;
        const routed = counts[from + expert]!;
        if (routed > 0) {
          if (end - first === 1) shares[first] = routed;
          else divide(expert, first, end - first, routed, shares, tokens, layer);
        }
        first = end;
      }
    },
  };
}
