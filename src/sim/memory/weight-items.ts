import { storedBytes } from "../../core/dtype.ts";
import { expertBytes, matrixBytes } from "../../models/bytes.ts";
import { routableExperts } from "../../models/expert-choices.ts";
import { mostHeld } from "../../policy/placement/kept-experts.ts";
import type { OffloadConfig, PoolConfig } from "../config.ts";
import { hostTier } from "../offload/offload-tiers.ts";
import type { AttentionProgram } from "../step/attention-parts.ts";
import { holdingLayers, type StagePlan } from "../step/stage-plan.ts";
import type { MemoryItem } from "./memory.ts";

interface StageParts {
  readonly first: boolean;
  readonly last: boolean;
  readonly expertBytes: number;
  readonly physicalExpertsPerRank: number;
  /** Expert copies of all layers of the stage on the rank that holds most. */
  readonly heldExperts: number;
  /** Bytes of the experts of all layers of the stage on the rank that holds most of them. */
  readonly heldBytes: number;
}

/**
 * Expert copies of all layers of a stage on the rank that holds most of them: ranks may hold unequally many, and others in each layer.
 * `perRank`: those of a layer where the placement is not told.
 */
export function heldExperts(
  { placement, model }: PoolConfig,
  plan: StagePlan,
  perRank: number,
  weightOf: (layer: number) => number = () => 1,
): number {
  const layers = holdingLayers(plan, model);
  return placement === null
    ? layers.reduce((sum, layer) => sum + perRank * weightOf(layer), 0)
    : mostHeld(placement, layers, weightOf);
}

/** Bytes of one expert's slice in each MoE layer, which its own bits decide where layers differ. */
export function sliceBytesOf(config: Pick<PoolConfig, "model" | "formats" | "weightBits" | "mapping">): number[] {
  const { model, mapping, formats, weightBits } = config;
  return model.layers.flatMap(({ feedForward: of }) => {
    if (of.kind !== "moe") return [];
    const experts = of.expertBits ?? weightBits?.experts;
    const storage = experts === undefined ? config : { formats, weightBits: { ...weightBits, experts } };
    return [Math.ceil(expertBytes(of, storage) / mapping.etp)];
  });
}

/** Part of a stage: the layers of it that are the devices', or those that are the host's. */
export const layersOf = (plan: StagePlan, { host }: Pick<PoolConfig, "host">, onHost: boolean): number[] =>
  Array.from({ length: plan.layers }, (_, i) => i).filter((i) => plan.first + i < (host?.layers ?? 0) === onHost);

/** Weights of a stage on a device. */
export function weightItems(
  config: PoolConfig,
  attention: readonly AttentionProgram[],
  plan: StagePlan,
  stage: StageParts,
): MemoryItem[] {
  const { model, offload } = config;
  const hidden = model.hiddenSize;
  const { expertLayers } = plan;
  const finalNorm = hidden + (model.headBias === true ? model.vocabSize : 0);
  const onHost = embedsOnHost(config);
  const shares = model.tiedEmbeddings && stage.first && !onHost;
  const holdsHead = stage.last && !shares && config.host?.head !== true;
  const slots =
    offload === null
      ? stage.heldExperts
      : offload.scope === "layer"
        ? cacheSlots(offload, plan)
        : Math.min(offload.slots, stage.heldExperts);
  const perLayer = stage.physicalExpertsPerRank * stage.expertBytes;
  const layers = layerItems(config, attention, plan, layersOf(plan, config, false), stage.last ? finalNorm : 0);
  return [
    { name: "embedding", bytes: stage.first && !onHost ? embeddingBytes(config) : 0 },
    ...layers.slice(0, -1),
    {
      name: offload === null ? `routed experts, ${slots} slots` : `expert cache, ${slots} slots`,
      bytes: offload === null ? stage.heldBytes : slots * stage.expertBytes,
    },
    { name: "parts of experts", bytes: offload === null ? 0 : partsBytes(offload, plan, stage) },
    { name: "expert transfer buffer", bytes: offload === null || expertLayers === 0 ? 0 : 2 * stage.expertBytes },
    { name: "rebalancing buffer", bytes: config.rebalance?.plan.source === "ranks" && expertLayers > 0 ? perLayer : 0 },
    { name: "head", bytes: holdsHead ? headBytes(config) : 0 },
    ...layers.slice(-1),
  ];
}

/** Whether rows of the embedding are looked up in host memory. */
const embedsOnHost = ({ engine, node }: PoolConfig): boolean => engine.embedsOnHost && hostTier(node) !== undefined;

function embeddingBytes(config: PoolConfig): number {
  const { model, mapping } = config;
  const { tableParameters = 0, projectionParameters = 0 } = model.ngramEmbedding ?? {};
  const vocabulary = Math.ceil(model.vocabSize / mapping.tp) * model.hiddenSize;
  return matrixBytes(config, "embedding", vocabulary + Math.ceil(tableParameters / mapping.tp) + projectionParameters);
}

/** The embedding as an item of host memory, once for all devices; none where it is the devices'. */
export const hostEmbedding = (config: PoolConfig): MemoryItem[] =>
  embedsOnHost(config) ? [{ name: "embedding", bytes: embeddingBytes(config) }] : [];

export const headBytes = (config: PoolConfig): number =>
  matrixBytes(config, "head", Math.ceil(config.model.vocabSize / config.mapping.tp) * config.model.hiddenSize);

/** Weights of some layers of a stage beside their routed experts, norms last, `further` values among these. */
export function layerItems(
  config: PoolConfig,
  attention: readonly AttentionProgram[],
  plan: StagePlan,
  layers: readonly number[],
  further = 0,
): MemoryItem[] {
  const { model, mapping, formats } = config;
  const hidden = model.hiddenSize;
  let attentionValues = 0;
  let small = further;
  let denseValues = 0;
  let routerValues = 0;
  let sharedValues = 0;
  for (const i of layers) {
    const spec = model.layers[plan.first + i]!;
    attentionValues += attention[plan.attentionClass[i]!]!.weightValues;
    const sublayers = Number(spec.attention.kind !== "none") + Number(spec.feedForward.kind !== "none");
    small += spec.normParameters ?? sublayers * hidden;
    if ("smallParameters" in spec.attention) small += spec.attention.smallParameters;
    const ff = spec.feedForward;
    if (ff.kind === "dense") denseValues += (ff.matrices * hidden * ff.width) / mapping.tp;
    if (ff.kind !== "moe") continue;
    if (spec.revisit?.router !== "shared") {
      routerValues += hidden * routableExperts(ff);
      if (ff.router.bias) small += routableExperts(ff);
    }
    if (spec.revisit !== undefined) continue;
    const latent = ff.expertHidden === hidden ? 0 : 2 * hidden * ff.expertHidden;
    sharedValues += (ff.matrices * hidden * ff.sharedWidth) / mapping.tp + latent;
    denseValues += (ff.matrices * hidden * ff.denseWidth) / mapping.tp;
    if (ff.sharedGate && ff.sharedWidth > 0) sharedValues += hidden;
  }
  return [
    { name: "attention weights", bytes: matrixBytes(config, "attention", attentionValues) },
    { name: "dense weights", bytes: matrixBytes(config, "dense", denseValues) },
    { name: "router weights", bytes: matrixBytes(config, "router", routerValues) },
    { name: "shared expert weights", bytes: matrixBytes(config, "shared", sharedValues) },
    { name: "norms and biases", bytes: storedBytes(small, formats.norm) },
  ];
}

/** Bytes of the matrices that a stage holds of experts whose others are in host memory. */
function partsBytes({ parts = [] }: OffloadConfig, { moeIndex }: StagePlan, stage: StageParts): number {
  const share = moeIndex.reduce((sum, layer) => sum + 1 - (parts[layer]?.hostShare ?? 1), 0);
  return Math.ceil(share * stage.physicalExpertsPerRank * stage.expertBytes - 1e-6);
}

/** Slots of all layers of a stage. */
function cacheSlots({ slots, slotsPerLayer }: OffloadConfig, { moeIndex, expertLayers }: StagePlan): number {
  if (slotsPerLayer === undefined) return slots * expertLayers;
  return moeIndex.reduce((sum, layer) => sum + (layer < 0 ? 0 : slotsPerLayer[layer]!), 0);
}
