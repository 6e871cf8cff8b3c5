/** Caches alike in their blocks: a sequence holds equally many blocks of its pool for each. */
export type CacheGroup =
  /** A block for every `blockTokens` tokens. */
  | { readonly kind: "full"; readonly blockTokens: number; readonly copies: number }
  /** Blocks of the newest tokens only: those that the step computes, and the `windowTokens` - 1 before them. */
  | {
      readonly kind: "window";
      readonly blockTokens: number;
      readonly copies: number;
      readonly windowTokens: number;
    }
  /** As many blocks at the last token as at the first. */
  | { readonly kind: "state"; readonly copies: number };

/**
 * Blocks of one pool that a sequence holds, as a function of its tokens: `computed` are in the cache, and room is
 * wanted for `tokens`. A group counts every block `copies` times, for layers that keep theirs apart.
 */
export class Holding {
  readonly groups: readonly CacheGroup[];
  /** Whether anything is held besides full caches. */
  readonly passes: boolean;
  /** The first full group, apart from the others: most models have no other, and every decode asks for it. */
  private readonly blockTokens: number;
  private readonly copies: number;
  private readonly moreFull: readonly Extract<CacheGroup, { kind: "full" }>[];
  private readonly windows: readonly Extract<CacheGroup, { kind: "window" }>[];
  private readonly states: number;

  constructor(groups: readonly CacheGroup[]) {
    this.groups = groups;
    const [first, ...more] = groups.filter((group) => group.kind === "full");
    this.blockTokens = first?.blockTokens ?? 1;
    this.copies = first?.copies ?? 0;
    this.moreFull = more;
    this.windows = groups.filter((group) => group.kind === "window");
    this.states = groups.reduce((sum, group) => sum + (group.kind === "state" ? group.copies : 0), 0);
    this.passes = this.windows.length > 0 || this.states > 0;
  }

  /** Blocks of full caches. Prefixes share these. */
  fullBlocks(tokens: number): number {
    let sum = this.copies * Math.ceil(tokens / this.blockTokens);
    for (let i = 0; i < this.moreFull.length; i++) {
      const { blockTokens, copies } = this.moreFull[i]!;
      sum += copies * Math.ceil(tokens / blockTokens);
    }
    return sum;
  }

  /** Blocks of windows and states. They pass: a block goes back when no later step needs it. */
  passingBlocks(computed: number, tokens: number): number {
    let sum = this.states;
    for (let i = 0; i < this.windows.length; i++) {
      const { blockTokens, copies, windowTokens } = this.windows[i]!;
      const gone = Math.floor(Math.max(0, computed - windowTokens + 1) / blockTokens);
      sum += copies * (Math.ceil(tokens / blockTokens) - gone);
    }
    return sum;
  }

  /** Most blocks that a sequence holds on its way to `tokens` tokens, in steps of up to `stepTokens`. */
  peakBlocks(tokens: number, stepTokens: number): number {
    let sum = this.fullBlocks(tokens) + this.states;
    for (const { blockTokens, copies, windowTokens } of this.windows) {
      // A window need not start at the start of a block.
      const inStep = Math.ceil((windowTokens - 1 + stepTokens) / blockTokens) + 1;
      sum += copies * Math.min(Math.ceil(tokens / blockTokens), inStep);
    }
    return sum;
  }
}
