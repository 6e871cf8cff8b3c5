import type { Tfjs } from "../../src/capture/backends/backend.ts";
import { type DomainTokens, heldOutRows } from "./batches.ts";
import { batchOf, chooseExperts, losses } from "./model.ts";
import type { Parameters } from "./parameters.ts";
import type { Shape } from "./shape.ts";

/** How well held-out text of a domain is predicted, in nats a token and bits a byte. */
export interface DomainLoss {
  readonly domain: string;
  readonly tokens: number;
  readonly model: number;
  /** Token frequencies of the whole training text, one added to each. */
  readonly unigram: number;
  /** Frequencies given the token before, mixed with the unigram as Witten and Bell do. */
  readonly bigram: number;
  /** Bits a byte of the model and of the unigram. */
  readonly modelBits: number;
  readonly unigramBits: number;
}

const rowsAtOnce = 8;

/** Loss on the first `rowsMax` held-out rows of every domain; the baselines see the same tokens. */
export async function evaluate(
  tf: Tfjs,
  shape: Shape,
  parameters: Parameters,
  domains: readonly DomainTokens[],
  rowsMax: number,
): Promise<DomainLoss[]> {
  const baselines = new Baselines(domains, shape.vocabulary);
  const out: DomainLoss[] = [];
  for (const domain of domains) {
    const rows = heldOutRows(domain, shape.context).slice(0, rowsMax);
    const sums = { model: 0, unigram: 0, bigram: 0 };
    for (let from = 0; from < rows.length; from += rowsAtOnce) {
      const some = rows.slice(from, from + rowsAtOnce);
      const batch = batchOf(Int32Array.from(some.flatMap((row) => [...row])), some.length);
      const plans = await chooseExperts(tf, shape, parameters, batch);
      const mean = tf.tidy(() => losses(tf, shape, parameters, batch, plans).crossEntropy);
      sums.model += (await mean.data())[0]! * some.length * shape.context;
      mean.dispose();
    }
    for (const row of rows) {
      for (let i = 1; i < row.length; i++) {
        sums.unigram += baselines.unigram(row[i]!);
        sums.bigram += baselines.bigram(row[i - 1]!, row[i]!);
      }
    }
    const tokens = rows.length * shape.context;
    const tokensPerByte = domain.heldOut.length / domain.heldOutBytes;
    const bits = (sum: number) => (sum / tokens / Math.LN2) * tokensPerByte;
    out.push({
      domain: domain.name,
      tokens,
      model: sums.model / tokens,
      unigram: sums.unigram / tokens,
      bigram: sums.bigram / tokens,
      modelBits: bits(sums.model),
      unigramBits: bits(sums.unigram),
    });
  }
  return out;
}

class Baselines {
  readonly #counts: Float64Array;
  readonly #total: number;
  /** Of each token: what followed it, how often. */
  readonly #following = new Map<number, Map<number, number>>();

  constructor(domains: readonly DomainTokens[], vocabulary: number) {
    this.#counts = new Float64Array(vocabulary).fill(1);
    for (const { training } of domains)
      for (let i = 0; i < training.length; i++) {
        this.#counts[training[i]!]!++;
        if (i === 0) continue;
        const before = training[i - 1]!;
        const followers = this.#following.get(before) ?? new Map<number, number>();
        followers.set(training[i]!, (followers.get(training[i]!) ?? 0) + 1);
        this.#following.set(before, followers);
      }
    this.#total = this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** -log p(token) */
  unigram(token: number): number {
    return -Math.log(this.#counts[token]! / this.#total);
  }

  /** -log p(token | before): (count + kinds p(token)) / (total + kinds), kinds being the different followers. */
  bigram(before: number, token: number): number {
    const followers = this.#following.get(before);
    const base = this.#counts[token]! / this.#total;
    if (followers === undefined) return -Math.log(base);
    let total = 0;
    for (const count of followers.values()) total += count;
    return -Math.log(((followers.get(token) ?? 0) + followers.size * base) / (total + followers.size));
  }
}
