import { InvariantError } from "../../core/errors.ts";
import { pow } from "../../core/pow.ts";
import { RandomStream } from "../../core/random.ts";
import { heaviestWithEplb } from "./eplb-load.ts";
import { heaviestOf, type RankLoad } from "./rank-load.ts";

/** How a measured kernel's tokens were spread over experts: evenly, or by a power law with this exponent. */
export type LoadShape = { readonly kind: "balanced" } | { readonly kind: "powerLaw"; readonly alpha: number };

/** A batch routed to experts that are split over ranks in contiguous blocks. */
export interface RoutedBatch {
  /** Tokens of all ranks together. */
  readonly tokens: number;
  readonly experts: number;
  readonly topK: number;
  readonly ranks: number;
  readonly load: LoadShape;
  /** Physical experts that EPLB fills for the very load; absent where experts lie in contiguous blocks without copies. */
  readonly physicalExperts?: number;
}

/** Tokens per expert when token t takes the experts t, t + s, t + 2s, ... (s = experts / topK, rounded up), modulo experts. */
export function balancedCounts(tokens: number, experts: number, topK: number): Uint32Array {
  const counts = new Uint32Array(experts);
  const stride = Math.ceil(experts / topK);
  for (let token = 0; token < tokens; token++) {
    // Few tokens spread over the stride instead of crowding at its start.
    const first = tokens >= stride ? token : Math.floor((token * stride) / tokens);
    for (let i = 0; i < topK; i++) counts[(first + i * stride) % experts]! += 1;
  }
  return counts;
}

/**
 * Tokens per expert of one power-law draw, before {@link settle}: weights from a truncated power law with density
 * x^-alpha by inverse cumulative distribution, scaled to tokens x topK and rounded. The range is 1 to 0.8 x tokens, or
 * 0.01 to 2 where there are fewer pairs than experts, as the collector of AIConfigurator draws them.
 */
export function powerLawCounts(
  tokens: number,
  experts: number,
  topK: number,
  alpha: number,
  rng: RandomStream,
): Uint32Array {
  const [least, most] = tokens * topK > experts ? [1, 0.8 * tokens] : [0.01, 2];
  const weights = new Float64Array(experts);
  let sum = 0;
  for (let expert = 0; expert < experts; expert++) {
    const u = rng.uniform();
    weights[expert] =
      alpha === 1
        ? least * Math.exp(u * Math.log(most / least))
        : pow(pow(least, 1 - alpha) + u * (pow(most, 1 - alpha) - pow(least, 1 - alpha)), 1 / (1 - alpha));
    sum += weights[expert]!;
  }
  return Uint32Array.from(weights, (weight) => Math.round((weight / sum) * tokens * topK));
}

/**
 * Makes counts possible: no expert above `tokens`, all together `pairs`. Surplus and shortfall are settled one pair at a
 * time, rank after rank: the least loaded expert of a rank gains, the most loaded loses.
 */
export function settle(counts: Uint32Array, tokens: number, pairs: number, ranks: number): void {
  if (pairs > counts.length * tokens)
    throw new InvariantError("expert-load", `${pairs} pairs for ${counts.length} experts of at most ${tokens} tokens`);
  let sum = 0;
  for (let expert = 0; expert < counts.length; expert++) {
    counts[expert] = Math.min(counts[expert]!, tokens);
    sum += counts[expert]!;
  }
  const perRank = counts.length / ranks;
  for (let rank = 0; sum !== pairs; rank = (rank + 1) % ranks) {
    const step = sum < pairs ? 1 : -1;
    let chosen = rank * perRank;
    for (let expert = chosen + 1; expert < (rank + 1) * perRank; expert++)
      if (step * counts[expert]! < step * counts[chosen]!) chosen = expert;
    if (step > 0 ? counts[chosen]! >= tokens : counts[chosen] === 0) continue;
    counts[chosen]! += step;
    sum += step;
  }
}

function heaviestUnder(counts: Uint32Array, { ranks, physicalExperts }: RoutedBatch): RankLoad {
  return physicalExperts === undefined ? heaviestOf(counts, ranks) : heaviestWithEplb(counts, ranks, physicalExperts);
}

/** Draws that means are taken over. */
const draws = 24;

/** The load of the heaviest rank as measured kernels have it; drawn loads as means over seeded draws. */
export class ExpertLoads {
  readonly #origin: RandomStream;
  readonly #drawn = new Map<string, readonly Uint32Array[]>();
  readonly #known = new Map<string, RankLoad>();

  constructor(seed = 0) {
    this.#origin = new RandomStream(seed, "expert-load");
  }

  /** Pairs and distinct experts of the rank that a table with expert parallelism times: the most loaded one. */
  heaviest(batch: RoutedBatch): RankLoad {
    const { tokens, experts, topK, ranks, load, physicalExperts } = batch;
    const how = load.kind === "balanced" ? "balanced" : load.alpha;
    const key = `${tokens} ${experts} ${topK} ${ranks} ${how} ${physicalExperts}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found =
      load.kind === "balanced"
        ? heaviestUnder(balancedCounts(tokens, experts, topK), batch)
        : this.#meanOfDraws(batch, load.alpha);
    this.#known.set(key, found);
    return found;
  }

  /** Settled tokens per expert of each draw. */
  #drawnCounts({ tokens, experts, topK, ranks }: RoutedBatch, alpha: number): Uint32Array[] {
    return this.#rawDraws(tokens, experts, topK, alpha).map((raw) => {
      const counts = raw.slice();
      settle(counts, tokens, tokens * topK, ranks);
      return counts;
    });
  }

  #meanOfDraws(batch: RoutedBatch, alpha: number): RankLoad {
    let pairs = 0;
    let distinct = 0;
    for (const counts of this.#drawnCounts(batch, alpha)) {
      const heaviest = heaviestUnder(counts, batch);
      pairs += heaviest.pairs / draws;
      distinct += heaviest.distinct / draws;
    }
    return { pairs, distinct };
  }

  /** Draws do not depend on the number of ranks, so that layouts are compared on the same loads. */
  #rawDraws(tokens: number, experts: number, topK: number, alpha: number): readonly Uint32Array[] {
    const key = `${tokens} ${experts} ${topK} ${alpha}`;
    const known = this.#drawn.get(key);
    if (known !== undefined) return known;
    const rng = this.#origin.fork(key);
    const drawn = Array.from({ length: draws }, () => powerLawCounts(tokens, experts, topK, alpha, rng));
    this.#drawn.set(key, drawn);
    return drawn;
  }
}
