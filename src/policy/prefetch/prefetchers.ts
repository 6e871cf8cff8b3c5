import { z } from "zod";
import type { Parameters, ParameterValues } from "../../core/parameters.ts";
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
import { tokenId } from "./token-id.ts";
import { trajectory } from "./trajectory.ts";

/** Prefetchers of experts by the name a scenario uses. */
export const prefetchers = {
  none,
  perfect,
  gate,
  "pre-gated": preGated,
  batch,
  "previous-token": previousToken,
  "token-id": tokenId,
  frequency,
  "layer-markov": layerMarkov,
  "co-occurrence": coOccurrence,
  "activation-matrix": activationMatrix,
  trajectory,
} as const satisfies Record<string, PrefetchPolicy>;

export type PrefetcherName = keyof typeof prefetchers;

/** The values of a policy where none are given; throws where it has to be given some. */
export const defaultsOf = ({ parameters }: PrefetchPolicy): ParameterValues<Parameters> =>
  z.strictObject(parameters).parse({});
