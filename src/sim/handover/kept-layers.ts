import type { Attention } from "../../models/spec.ts";
import type { PoolConfig } from "../config.ts";
import { placeCaches } from "../memory/kv-places.ts";
import type { LayerCache } from "../memory/layer-cache.ts";
import type { AttentionProgram } from "../step/attention-parts.ts";
import { draftConfig, draftModules } from "../step/draft-model.ts";
import { type StagePlan, stagePlans } from "../step/stage-plan.ts";

/** What a sequence keeps of one layer, and how tensor-parallel ranks divide it. */
export interface KeptLayer {
  readonly stage: number;
  /** Parts that ranks do not divide further: more ranks than these hold copies. */
  readonly parts: number;
  /** On one rank, as the engine keeps them. */
  readonly caches: readonly LayerCache[];
}

/**
 * The layers of a deployment in the order of the model, then those of a draft module. `attention` and `draftAttention` are
 * their token mixing by class, as {@link planMemory} takes them.
 */
export function keptLayers(
  config: PoolConfig,
  attention: readonly AttentionProgram[],
  draftAttention: readonly AttentionProgram[] = [],
): KeptLayer[] {
  const { model, mapping, engine } = config;
  const keptOf = (
    plan: StagePlan,
    stage: number,
    mixers: readonly Attention[],
    programs: readonly AttentionProgram[],
  ) =>
    Array.from(plan.attentionClass, (mixing, i): KeptLayer => {
      const { main, windows, states, reserved } = placeCaches(programs[mixing]!.caches, engine.caches);
      return { stage, parts: partsOf(mixers[plan.first + i]!), caches: [...main, ...windows, ...states, ...reserved] };
    });
  const mixersOf = (layers: typeof model.layers) => layers.map((layer) => layer.attention);
  const kept = stagePlans(model, mapping.pp).flatMap((plan, stage) =>
    keptOf(plan, stage, mixersOf(model.layers), attention),
  );
  const module = draftConfig(config);
  if (module === null) return kept;
  const [plan] = stagePlans(module.model, 1);
  const drafted = keptOf(plan!, mapping.pp - 1, mixersOf(module.model.layers), draftAttention);
  return [...kept, ...Array.from({ length: draftModules(config) }, () => drafted).flat()];
}

/** Key-value heads; one for a latent, which every rank holds whole. States are divided as finely as there are ranks. */
function partsOf(attention: Attention): number {
  switch (attention.kind) {
    case "gqa":
      return attention.kvHeads;
    case "mla":
      return 1;
    case "linear":
    case "none":
      return Number.POSITIVE_INFINITY;
  }
}
