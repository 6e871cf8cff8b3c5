import { activationMatrix } from "./activation-matrix.ts";
import { batch } from "./batch.ts";
import { coOccurrence } from "./co-occurrence.ts";
import { frequency } from "./frequency.ts";
import { gate } from "./gate.ts";
import { layerMarkov } from "./layer-markov.ts";
import { none } from "./none.ts";
import { perfect } from "./perfect.ts";
import { preGated } from "./pre-gated.ts";
import type { PrefetchPolicy } from "./prefetcher.ts";
import { previousToken } from "./previous-token.ts";
import { trajectory } from "./trajectory.ts";

/** Prefetchers of experts by the name a scenario uses. */
export const prefetchers = {
  none,
  perfect,
  gate,
  "pre-gated": preGated,
  batch,
  "previous-token": previousToken,
  frequency,
  "layer-markov": layerMarkov,
  "co-occurrence": coOccurrence,
  "activation-matrix": activationMatrix,
  trajectory,
} as const satisfies Record<string, PrefetchPolicy>;

export type PrefetcherName = keyof typeof prefetchers;
