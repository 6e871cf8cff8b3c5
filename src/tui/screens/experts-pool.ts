import type { CacheDetails } from "../../forecast/details/cache-details.ts";
import type { ExpertDetails } from "../../forecast/details/expert-details.ts";
import type { Figures } from "../../metrics/figures.ts";
import type { LayerLoad } from "../../sim/result.ts";
import { type Core, currentRun } from "../state/core.ts";
import { isOpen, type RunRecord } from "../state/run-record.ts";
import { comingWords, soFarWords } from "./run-words.ts";

/** A pool whose experts were counted. */
export interface ExpertPool {
  /** Empty for the only one. */
  readonly name: string;
  readonly placement: string;
  readonly figures: NonNullable<Figures["experts"]>;
  /** null where they were not kept: of a saved result, and of older runs. */
  readonly details: ExpertDetails | null;
  readonly cache: CacheDetails | null;
  /** Of a run that goes on: what its figures are of, in words. */
  readonly soFar: string | null;
}

/** The pools of a run, in their order: as far as it is, or at its end. */
export function expertPools(run: RunRecord): ExpertPool[] {
  const { forecast, details, soFar } = run;
  if (forecast === null)
    return (soFar?.pools ?? []).flatMap(({ name, placement, experts, expertDetails, cacheDetails }) =>
      experts === null
        ? []
        : [{ name, placement, figures: experts, details: expertDetails, cache: cacheDetails, soFar: soFarWords(run) }],
    );
  const pools = forecast.pools ?? [{ name: "", placement: forecast.deployment.placement, experts: forecast.experts }];
  return pools.flatMap(({ name, placement, experts }) =>
    experts === null
      ? []
      : [
          {
            name,
            placement,
            figures: experts,
            details: details?.experts.find(({ pool }) => pool === name) ?? null,
            cache: details?.caches.find(({ pool }) => pool === name) ?? null,
            soFar: null,
          },
        ],
  );
}

/** The pool that is shown: `at` counts on after the last one. */
export function poolShown(core: Core, at: number): { readonly pool: ExpertPool; readonly count: number } | null {
  const run = currentRun(core);
  const pools = run === null ? [] : expertPools(run);
  const pool = pools[at % Math.max(1, pools.length)];
  return pool === undefined ? null : { pool, count: pools.length };
}

/** Why there are no experts to see; null where there are. */
export function expertsMissing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "No run yet: choose a scenario on Home (1) and press Enter.";
  if (poolShown(core, 0) !== null) return null;
  if (isOpen(run)) {
    if (run.soFar === null) return comingWords(run, core);
    if (run.soFar.pools.some(({ expertDetails }) => expertDetails !== null)) return "No expert has had a token so far.";
  } else if (run.forecast === null) return "The run failed: Run (2) says why.";
  return "Uniform routing: no expert is counted. routing.kind trace tells them apart.";
}

/** What is shown of a layer. */
export interface LayerFigures extends LayerLoad {
  /** Its heaviest rank over the mean rank, of all its tokens; null where that was not kept. */
  readonly overRun: number | null;
  /** The expert of most tokens, its part of them, and its copies. */
  readonly hottest: { readonly expert: number; readonly share: number; readonly copies: number } | null;
  /** null without a cache. */
  readonly hitRate: number | null;
}

/** The figures of one layer. */
export function layerFigures({ figures, details, cache }: ExpertPool, layer: number): LayerFigures {
  const load = figures.layers[layer]!;
  if (details === null) return { ...load, overRun: null, hottest: null, hitRate: null };
  const { experts, uses, copies } = details;
  let most = 0;
  let pairs = 0;
  for (let expert = 0; expert < experts; expert++) {
    const own = uses[layer * experts + expert]!;
    pairs += own;
    if (own > uses[layer * experts + most]!) most = expert;
  }
  const at = layer * experts + most;
  return {
    ...load,
    overRun: overRun(details, layer),
    hottest: pairs === 0 ? null : { expert: most, share: uses[at]! / pairs, copies: copies[at]! },
    hitRate: cache === null ? null : hitRateOf(cache, layer),
  };
}

/** The heaviest rank of a layer over the mean rank, of all tokens of the run; null without any. */
function overRun({ ranks, rankPairs }: ExpertDetails, layer: number): number | null {
  let heaviest = 0;
  let sum = 0;
  for (let at = layer * ranks; at < (layer + 1) * ranks; at++) {
    sum += rankPairs[at]!;
    if (rankPairs[at]! > heaviest) heaviest = rankPairs[at]!;
  }
  return sum === 0 ? null : (heaviest * ranks) / sum;
}

/** The mean of that over layers that computed any. */
export function meanOverRun(details: ExpertDetails): number {
  let sum = 0;
  let layers = 0;
  for (let layer = 0; layer < details.layers; layer++) {
    const ratio = overRun(details, layer);
    if (ratio === null) continue;
    sum += ratio;
    layers++;
  }
  return sum / layers;
}

function hitRateOf({ experts, asked, missed }: CacheDetails, layer: number): number | null {
  let accesses = 0;
  let misses = 0;
  for (let key = layer * experts; key < (layer + 1) * experts; key++) {
    accesses += asked[key]!;
    misses += missed[key]!;
  }
  return accesses === 0 ? null : 1 - misses / accesses;
}

/** An expert of a layer, and its part of the layer's tokens. */
export interface HotExpert {
  readonly layer: number;
  readonly expert: number;
  readonly share: number;
  readonly copies: number;
}

/** The experts with the largest parts of the tokens of their layers, the largest first. */
export function hottestExperts({ layers, experts, uses, copies }: ExpertDetails, count: number): HotExpert[] {
  const found: HotExpert[] = [];
  for (let layer = 0; layer < layers; layer++) {
    let pairs = 0;
    for (let key = layer * experts; key < (layer + 1) * experts; key++) pairs += uses[key]!;
    if (pairs === 0) continue;
    for (let expert = 0; expert < experts; expert++) {
      const share = uses[layer * experts + expert]! / pairs;
      if (share === 0 || (found.length === count && share <= found.at(-1)!.share)) continue;
      const place = found.findIndex((other) => share > other.share);
      found.splice(place < 0 ? found.length : place, 0, {
        layer,
        expert,
        share,
        copies: copies[layer * experts + expert]!,
      });
      if (found.length > count) found.pop();
    }
  }
  return found;
}
