import type { RandomStream } from "../../core/random.ts";
import type { Steps } from "../../core/steps.ts";
import type { ChoiceGroups } from "./choice-groups.ts";
import { LayerSampler, type LayerWeights } from "./layer-sampler.ts";
import type { SequencePlan } from "./sequence-plan.ts";

/** The generator's weights, ready to draw from. */
export interface RoutingModel extends ChoiceGroups {
  readonly experts: number;
  readonly topK: number;
  readonly layers: number;
  /** [domain][layer] */
  readonly weights: readonly (readonly LayerWeights[])[];
}

/** Rows that are drawn between two pauses: some ten milliseconds. */
const rowsPerStep = 4096;

/** Draws ids [rows][layers][topK] for the planned sequences. A layer's draws come from its own stream. */
export function* drawRouting(
  model: RoutingModel,
  plan: SequencePlan,
  streams: RandomStream,
): Steps<Uint8Array | Uint16Array> {
  const { experts, topK, layers } = model;
  const stride = layers * topK;
  const rows = plan.starts[plan.starts.length - 1]!;
  const ids = experts <= 256 ? new Uint8Array(rows * stride) : new Uint16Array(rows * stride);
  const sampler = new LayerSampler(experts, topK, model);
  let drawn = 0;
  for (let layer = 0; layer < layers; layer++) {
    const random = streams.fork(`layer ${layer}`);
    const place = { ids, stride, offset: layer * topK };
    for (let sequence = 0; sequence < plan.domainOf.length; sequence++) {
      const weights = model.weights[plan.domainOf[sequence]!]![layer]!;
      const [from, to] = [plan.starts[sequence]!, plan.starts[sequence + 1]!];
      sampler.sequence(weights, place, from, to, random);
      drawn += to - from;
      if (drawn < rowsPerStep) continue;
      drawn = 0;
      yield;
    }
  }
  return ids;
}
