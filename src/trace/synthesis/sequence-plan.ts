import { RandomStream } from "../../core/random.ts";
import type { RoutingStatistics } from "./routing-statistics.ts";

export interface SynthesisOptions {
  /** Rows to generate, all domains together. */
  readonly tokens: number;
  readonly seed: number;
  /** Lengths of the sequences in tokens, dealt in shuffled rounds; the recorded lengths of each domain by default. */
  readonly sequenceTokens?: readonly number[];
}

/** Sequences of a table to be generated, domain after domain. */
export interface SequencePlan {
  /** First row of each sequence, then the number of rows. */
  readonly starts: Uint32Array;
  readonly domainOf: readonly number[];
  readonly domainStarts: Uint32Array;
}

/**
 * Splits the tokens over domains by share and over sequences by length. Lengths are dealt like cards: every length of a
 * domain once, in random order, before any comes again, so that short samples too have the mix of lengths they should.
 */
export function sequencePlan(statistics: RoutingStatistics, options: SynthesisOptions): SequencePlan {
  const starts: number[] = [];
  const domainOf: number[] = [];
  const domainStarts = new Uint32Array(statistics.domains.length + 1);
  const random = new RandomStream(options.seed, "routing synthesis lengths");
  let shares = 0;
  let row = 0;
  for (const [index, domain] of statistics.domains.entries()) {
    domainStarts[index] = row;
    shares += domain.share;
    const last = index === statistics.domains.length - 1;
    const end = last ? options.tokens : Math.min(options.tokens, Math.round(shares * options.tokens));
    let deck: number[] = [];
    while (row < end) {
      if (deck.length === 0) deck = shuffled(options.sequenceTokens ?? domain.sequenceTokens, random);
      starts.push(row);
      domainOf.push(index);
      row = Math.min(end, row + Math.max(1, Math.round(deck.pop() ?? end)));
    }
  }
  domainStarts[statistics.domains.length] = row;
  starts.push(row);
  return { starts: Uint32Array.from(starts), domainOf, domainStarts };
}

function shuffled(values: readonly number[], random: RandomStream): number[] {
  const deck = [...values];
  for (let left = deck.length - 1; left > 0; left--) {
    const other = random.below(left + 1);
    [deck[left], deck[other]] = [deck[other]!, deck[left]!];
  }
  return deck;
}
