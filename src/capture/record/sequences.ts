import { InvalidInputError, refuse } from "../../core/errors.ts";

/** Token sequences of several domains, one after another: grouped by domain, in the order of the documents. */
export interface TokenSequences {
  readonly domains: readonly string[];
  readonly tokens: Uint32Array;
  /** First token of each sequence, then the number of tokens. */
  readonly starts: Uint32Array;
  /** Domain of each sequence, an index into `domains`. */
  readonly domainOf: Uint16Array;
}

/** A domain and its documents as token ids, without what the tokenizer puts before a text. */
export interface DomainDocuments {
  readonly domain: string;
  readonly documents: AsyncIterable<ArrayLike<number>>;
}

export interface CutRule {
  /** Tokens put before every sequence, such as the beginning-of-text token. */
  readonly prefix: readonly number[];
  /** Most tokens of a sequence, the prefix included. */
  readonly tokensPerSequence: number;
  /** Most tokens of all sequences; null: all. */
  readonly tokensMax: number | null;
}

/**
 * Cuts documents into sequences of at most `tokensPerSequence`: consecutive parts of a document, each a sequence of its
 * own that starts at position 0 with the prefix, so that no token sees a part cut off before. Under `tokensMax` every
 * domain gives an equal share, in whole sequences from its start and the last cut short; what a domain lacks, the others
 * give. No domain is read beyond `tokensMax`.
 */
export async function cutSequences(domains: readonly DomainDocuments[], rule: CutRule): Promise<TokenSequences> {
  if (rule.tokensPerSequence <= rule.prefix.length)
    refuse({
      at: "--max-length",
      expected: `more than the ${rule.prefix.length} tokens that the tokenizer puts before a text`,
      found: rule.tokensPerSequence,
    });
  const limit = rule.tokensMax ?? Number.POSITIVE_INFINITY;
  const read: DomainSequences[] = [];
  for (const domain of domains) read.push(await readDomain(domain, rule, limit));
  const shares = fairShares(
    read.map(({ tokens }) => Math.min(tokens, limit)),
    limit,
  );
  const kept = read.map(({ sequences }, i) => shorten(sequences, shares[i] ?? 0, rule.prefix.length));
  const empty = read.filter((_domain, i) => kept[i]?.length === 0);
  if (empty.length > 0)
    throw new InvalidInputError(
      empty.map(({ domain, tokens }) => ({
        at: `domain ${domain}`,
        expected: tokens === 0 ? "at least one token" : "a share of --max-tokens of at least one token",
        found: tokens === 0 ? "no text" : `${rule.tokensMax} tokens for ${domains.length} domains`,
      })),
    );
  return joined(
    read.map(({ domain }) => domain),
    kept,
  );
}

interface DomainSequences {
  readonly domain: string;
  readonly sequences: Uint32Array[];
  readonly tokens: number;
}

async function readDomain(
  { domain, documents }: DomainDocuments,
  rule: CutRule,
  limit: number,
): Promise<DomainSequences> {
  const part = rule.tokensPerSequence - rule.prefix.length;
  const sequences: Uint32Array[] = [];
  let tokens = 0;
  for await (const ids of documents) {
    for (let from = 0; from < ids.length && tokens < limit; from += part) {
      const to = Math.min(ids.length, from + part);
      const sequence = new Uint32Array(rule.prefix.length + to - from);
      sequence.set(rule.prefix);
      for (let i = from; i < to; i++) sequence[rule.prefix.length + i - from] = ids[i] ?? 0;
      sequences.push(sequence);
      tokens += sequence.length;
    }
    if (tokens >= limit) break;
  }
  return { domain, sequences, tokens };
}

/** Shares of a total that are equal except for those who have less than theirs; of equal ones the first get what cannot be divided. */
export function fairShares(available: readonly number[], total: number): number[] {
  const shares = available.map(() => 0);
  const order = [...available.keys()].sort((a, b) => (available[a] ?? 0) - (available[b] ?? 0) || b - a);
  let rest = total;
  for (const [done, i] of order.entries()) {
    const share = Math.min(available[i] ?? 0, Math.floor(rest / (order.length - done)));
    shares[i] = share;
    rest -= share;
  }
  return shares;
}

/** The first sequences with `tokens` tokens in all; the last is cut, and dropped where only its prefix would stay. */
function shorten(sequences: readonly Uint32Array[], tokens: number, prefixLength: number): Uint32Array[] {
  const kept: Uint32Array[] = [];
  let rest = tokens;
  for (const sequence of sequences) {
    const part = sequence.subarray(0, Math.min(rest, sequence.length));
    if (part.length <= prefixLength) break;
    kept.push(part);
    rest -= part.length;
  }
  return kept;
}

function joined(domains: readonly string[], kept: readonly Uint32Array[][]): TokenSequences {
  const sequences = kept.flat();
  const starts = new Uint32Array(sequences.length + 1);
  for (const [i, { length }] of sequences.entries()) starts[i + 1] = (starts[i] ?? 0) + length;
  const tokens = new Uint32Array(starts.at(-1) ?? 0);
  for (const [i, sequence] of sequences.entries()) tokens.set(sequence, starts[i]);
  const domainOf = Uint16Array.from(kept.flatMap((of, domain) => of.map(() => domain)));
  return { domains, tokens, starts, domainOf };
}
