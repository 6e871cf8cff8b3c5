import { restored } from "../../models/bytes.ts";
import type { FeedForward, LayerSpec, ModelSpec } from "../../models/spec.ts";
import type { Draft, PoolConfig } from "../config.ts";

type Module = Exclude<Draft, { kind: "free" }>;

/**
 * A draft module as a deployment of its own, on the ranks of one pipeline stage. Its model has the layers that one
 * draft token passes. null where drafts cost the device nothing.
 */
export function draftConfig(config: PoolConfig): PoolConfig | null {
  const draft = config.speculation?.draft;
  if (draft === undefined || draft.kind === "free") return null;
  const layer = draftLayer(config.model, draft);
  return {
    ...config,
    model: { ...config.model, layers: Array.from({ length: draft.layersPerToken }, () => layer) },
    // Released draft heads are 16-bit. Modules of a model are quantised like its layers.
    ...restored(
      config,
      draft.kind === "eagle" ? { ...config.formats, attention: "bf16", dense: "bf16" } : config.formats,
    ),
    mapping: { ...config.mapping, pp: 1 },
    placement: null,
    offload: null,
    speculation: null,
  };
}

/** Copies of the layers in memory: a model with several modules holds one for each of its first draft tokens. */
export function draftModules(config: PoolConfig): number {
  const { speculation, model } = config;
  if (speculation === null || speculation.draft.kind === "free") return 0;
  if (speculation.draft.kind === "eagle") return 1;
  return Math.max(1, Math.min(model.mtpLayers, speculation.draftTokens));
}

/** The attention of the model's last layer that sees the whole context, and the feed-forward of its last layer. */
function draftLayer(model: ModelSpec, draft: Module): LayerSpec {
  const attention =
    model.layers.findLast(seesAll) ?? model.layers.findLast(({ attention: { kind } }) => kind !== "none");
  const feedForward = model.layers.findLast(({ feedForward: { kind } }) => kind !== "none");
  return {
    attention: attention?.attention ?? { kind: "none" },
    feedForward: draft.kind === "mtp" ? atClassBits(feedForward?.feedForward ?? { kind: "none" }) : denseOf(model),
  };
}

/** A module's experts have the bits of the class, as bits by layer are of the model's own layers. */
function atClassBits(feedForward: LayerSpec["feedForward"]): LayerSpec["feedForward"] {
  if (feedForward.kind !== "moe") return feedForward;
  const { expertBits: _bits, ...rest } = feedForward;
  return rest;
}

function seesAll({ attention }: LayerSpec): boolean {
  if (attention.kind === "gqa") return attention.windowTokens === null && attention.sharedCache !== true;
  return attention.kind === "mla";
}

/** A dense network like the model's own; without one, as wide as the experts that a token visits. */
function denseOf(model: ModelSpec): FeedForward {
  let widest: FeedForward = { kind: "none" };
  for (const { feedForward } of model.layers) {
    if (feedForward.kind === "dense") return feedForward;
    if (feedForward.kind === "moe")
      widest = {
        kind: "dense",
        width: feedForward.topK * feedForward.expertWidth + feedForward.sharedWidth,
        matrices: feedForward.matrices,
      };
  }
  return widest;
}
