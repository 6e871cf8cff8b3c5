/** Block sizes from the smallest to the largest that fit; none where the first is above the last. */
interface Sizes {
  readonly from: number;
  readonly to: number;
}

/** Which rules the rows of a file keep. */
export type BlockRule =
  /** Every block of a prompt is named, the last one though it is not full. */
  | "every"
  /** Full blocks only. */
  | "full"
  /** Fewer than that: only what a prompt shares with others. */
  | "some";

/** The block size of a file with a note on how it was found, or why it cannot be told. */
export type BlockSizeFound =
  | { readonly tokens: number; readonly rule: BlockRule; readonly note: string | null }
  | {
      readonly tokens: null;
      readonly line?: number;
      readonly expected: string;
      readonly found: string | number;
      readonly hint?: string;
    };

/**
 * What the numbers of blocks of a file's prompts say of the size of a block. A prompt of p tokens in n blocks of b tokens
 * has n = ceil(p / b) where every block is named, and n = floor(p / b) where full ones are; never n > ceil(p / b).
 */
export class BlockSizes {
  /** Row with the most blocks for its prompt, for messages. */
  tightest: { readonly line: number | null; readonly promptTokens: number; readonly blocks: number } | null = null;
  #every: Sizes = { from: 1, to: Number.POSITIVE_INFINITY };
  #full: Sizes = { from: 1, to: Number.POSITIVE_INFINITY };
  #largest = Number.POSITIVE_INFINITY;

  /** Takes in a row with blocks. */
  add(line: number | null, promptTokens: number, blocks: number): void {
    const largest = blocks === 1 ? Number.POSITIVE_INFINITY : Math.ceil(promptTokens / (blocks - 1)) - 1;
    if (largest < this.#largest || this.tightest === null) this.tightest = { line, promptTokens, blocks };
    this.#largest = Math.min(this.#largest, largest);
    this.#every = common(this.#every, { from: Math.ceil(promptTokens / blocks), to: largest });
    this.#full = common(this.#full, {
      from: Math.floor(promptTokens / (blocks + 1)) + 1,
      to: Math.floor(promptTokens / blocks),
    });
  }

  /** How the rows relate to blocks of a size that somebody said; null where a row has more blocks than its prompt fills. */
  ruleOf(tokens: number): BlockRule | null {
    if (tokens > this.#largest) return null;
    return within(tokens, this.#every) ? "every" : within(tokens, this.#full) ? "full" : "some";
  }

  /**
   * The size that fits every row: the documented one, else the only one, else the only power of two. Where rows name only
   * some of their blocks, any size up to a largest fits, and only the documented one can be taken.
   */
  find(documented: number | null): BlockSizeFound {
    for (const rule of ["every", "full"] as const) {
      const sizes = rule === "every" ? this.#every : this.#full;
      const tokens = choose(sizes, documented);
      if (tokens !== null) return { tokens, rule, note: noteOn(tokens, sizes, documented, rule) };
      if (sizes.from <= sizes.to) return this.#unknown(`blocks of ${sizesText(sizes)} tokens fit every prompt`);
    }
    if (documented !== null && documented <= this.#largest)
      return {
        tokens: documented,
        rule: "some",
        note: `prefix blocks of ${documented} tokens assumed, as the layout is documented: any size up to ${this.#largest} fits, since prompts have more blocks than they name`,
      };
    if (this.#largest < 1) {
      const { line, promptTokens, blocks } = this.tightest!;
      const where = line === null ? {} : { line };
      return {
        tokens: null,
        ...where,
        expected: `at most ${promptTokens} prefix blocks for as many tokens`,
        found: blocks,
      };
    }
    return this.#unknown(
      `no size fits the blocks of every prompt; up to ${this.#largest} tokens fit if only some are named`,
    );
  }

  #unknown(found: string): BlockSizeFound {
    return {
      tokens: null,
      expected: "a number of prefix blocks that tells their size",
      found,
      hint: "say it with blockTokens (--block-tokens)",
    };
  }
}

function choose(sizes: Sizes, documented: number | null): number | null {
  if (sizes.from > sizes.to) return null;
  if (documented !== null && within(documented, sizes)) return documented;
  if (sizes.from === sizes.to) return sizes.from;
  const powers = powersOfTwo(sizes);
  return powers.length === 1 ? (powers[0] ?? null) : null;
}

function noteOn(tokens: number, sizes: Sizes, documented: number | null, rule: BlockRule): string | null {
  const only = rule === "full" ? "; blocks that are not full are not named, and not shared" : "";
  if (sizes.from === sizes.to)
    return tokens === documented && only === ""
      ? null
      : `prefix blocks of ${tokens} tokens, the only size that fits every prompt${only}`;
  const others = `${sizesText(sizes)} fit every prompt`;
  return tokens === documented
    ? `prefix blocks of ${tokens} tokens assumed, as the layout is documented: ${others}${only}`
    : `prefix blocks of ${tokens} tokens assumed, the only power of two: ${others}${only}`;
}

const sizesText = ({ from, to }: Sizes): string =>
  to === Number.POSITIVE_INFINITY ? `${from} and more` : `${from} to ${to}`;

const within = (tokens: number, { from, to }: Sizes): boolean => tokens >= from && tokens <= to;

const common = (a: Sizes, b: Sizes): Sizes => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) });

/** Powers of two among the sizes, two of them at most: more are not told apart. */
function powersOfTwo({ from, to }: Sizes): number[] {
  const powers: number[] = [];
  for (let power = 1; power <= to && powers.length < 2; power *= 2) if (power >= from) powers.push(power);
  return powers;
}
