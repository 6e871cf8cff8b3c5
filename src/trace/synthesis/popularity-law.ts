import { pow } from "../../core/pow.ts";

/** How unevenly the experts of a layer are chosen: a Zipf law, or a Gamma law with a coefficient of variation. */
export type PopularityLaw = { readonly skew: number } | { readonly popularityCv: number };

/**
 * Share of the selections by expert under the law, most popular first; none is chosen by more than 95 % of the tokens.
 * With groups each contiguous group of experts follows the law.
 */
export function popularityShares(law: PopularityLaw, experts: number, topK: number, groups: number): number[] {
  const size = experts / groups;
  const inGroup =
    "skew" in law
      ? Array.from({ length: size }, (_, rank) => pow(rank + 1, -law.skew))
      : gammaByRank(size, law.popularityCv);
  const most = 0.95 / topK;
  let shares = normalised(Array.from({ length: experts }, (_, expert) => inGroup[expert % size]!));
  for (let round = 0; round < 50 && Math.max(...shares) > most * 1.0001; round++)
    shares = normalised(shares.map((share) => Math.min(share, most)));
  return shares;
}

/** Mean share of adjacent selections in common if tokens are independent: topK x sum of squared shares. */
export function overlapOfPopularity(shares: readonly number[], topK: number): number {
  return topK * shares.reduce((total, share) => total + share * share, 0);
}

const points = 8192;

/**
 * A Gamma variable of mean 1 as `count` numbers, highest first: its means over slices of equal probability. Integrated in
 * y = log x, where the density exp(a y - a exp y), a = 1 / cv^2, is smooth for every variation.
 */
function gammaByRank(count: number, cv: number): number[] {
  if (cv < 1e-3) return Array.from({ length: count }, () => 1);
  const shape = 1 / (cv * cv);
  const low = -(40 / shape + 10 * cv);
  const high = Math.log1p(40 / shape + 10 * cv);
  const chance = new Float64Array(points + 1);
  const moment = new Float64Array(points + 1);
  for (let point = 0; point < points; point++) {
    const y = low + ((point + 0.5) / points) * (high - low);
    const x = Math.exp(y);
    const density = Math.exp(shape * (y - x + 1));
    chance[point + 1] = chance[point]! + density;
    moment[point + 1] = moment[point]! + density * x;
  }
  const means: number[] = [];
  let point = 0;
  let before = 0;
  for (let slice = 1; slice <= count; slice++) {
    const until = (slice / count) * chance[points]!;
    while (point < points - 1 && chance[point + 1]! < until) point += 1;
    const part = (until - chance[point]!) / (chance[point + 1]! - chance[point]!);
    const upTo = moment[point]! + Math.min(1, Math.max(0, part)) * (moment[point + 1]! - moment[point]!);
    means.push(upTo - before);
    before = upTo;
  }
  return means.reverse();
}

function normalised(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
