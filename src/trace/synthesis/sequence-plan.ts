import type { RandomStream } from "../../core/random.ts";

/** A domain to generate: its share of the tokens, and lengths that each stand for an equal share of its sequences. */
export interface PlannedDomain {
  readonly share: number;
  readonly sequenceTokens: readonly number[];
}

/** Sequences of a table to be generated, domain after domain. */
export interface SequencePlan {
  /** First row of each sequence, then the number of rows. */
  readonly starts: Uint32Array;
  /** Domain of each sequence. */
  readonly domainOf: readonly number[];
  readonly domainStarts: Uint32Array;
}

/**
 * Splits `tokens` rows over domains by share and over sequences by length. Lengths are dealt like cards: every length of
 * a domain once, in random order, before any comes again, so that short samples too have the mix of lengths they should.
 */
export function sequencePlan(domains: readonly PlannedDomain[], tokens: number, random: RandomStream): SequencePlan {
  const starts: number[] = [];
  const domainOf: number[] = [];
  const domainStarts = new Uint32Array(domains.length + 1);
  const shares = domains.reduce((sum, domain) => sum + domain.share, 0);
  let share = 0;
  let row = 0;
  for (const [index, domain] of domains.entries()) {
    domainStarts[index] = row;
    share += domain.share;
    const end = index === domains.length - 1 ? tokens : Math.round((share / shares) * tokens);
    let deck: number[] = [];
    while (row < end) {
      if (deck.length === 0) deck = random.shuffle([...domain.sequenceTokens]);
      starts.push(row);
      domainOf.push(index);
      row = Math.min(end, row + Math.max(1, Math.round(deck.pop() ?? tokens)));
    }
  }
  domainStarts[domains.length] = row;
  starts.push(row);
  return { starts: Uint32Array.from(starts), domainOf, domainStarts };
}
