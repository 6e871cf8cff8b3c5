import type { RandomStream } from "../../src/core/random.ts";

/** Tokens of one domain. */
export interface DomainTokens {
  readonly name: string;
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
  /** UTF-8 bytes of the held-out text. */
  readonly heldOutBytes: number;
}

/** [sequences, tokens + 1] drawn from the training tokens: domains take turns, places are random. */
export function drawBatch(
  domains: readonly DomainTokens[],
  stream: RandomStream,
  sequences: number,
  tokens: number,
): Int32Array {
  const batch = new Int32Array(sequences * (tokens + 1));
  for (let s = 0; s < sequences; s++) {
    const { training } = domains[s % domains.length]!;
    const start = stream.below(training.length - tokens);
    batch.set(training.subarray(start, start + tokens + 1), s * (tokens + 1));
  }
  return batch;
}

/** All held-out tokens of a domain in consecutive rows of `tokens` + 1, each starting with the last token of the row before. */
export function heldOutRows(domain: DomainTokens, tokens: number): Int32Array[] {
  const rows: Int32Array[] = [];
  for (let at = 0; at + tokens + 1 <= domain.heldOut.length; at += tokens)
    rows.push(domain.heldOut.subarray(at, at + tokens + 1));
  return rows;
}
