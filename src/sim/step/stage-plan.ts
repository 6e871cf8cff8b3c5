import type { FeedForward, ModelSpec, MoeFeedForward } from "../../models/spec.ts";
import { stageStarts } from "../../models/visits.ts";

/** The consecutive layers of one pipeline stage, as small integers for the step loop. */
export interface StagePlan {
  /** Index of the first layer. */
  readonly first: number;
  readonly layers: number;
  /** [layers] class of the layer's token mixing. All stages share the classes. */
  readonly attentionClass: Uint8Array;
  /** [layers] class of the layer's feed-forward. */
  readonly feedForwardClass: Uint8Array;
  /** [layers] index among the model's MoE layers, or -1. */
  readonly moeIndex: Int32Array;
  /** MoE layers that hold experts: those that visit the experts of an earlier one again do not. */
  readonly expertLayers: number;
  /**
   * One entry per layer class: its first layer and its number of layers. For steps whose equal layers take equal time.
   */
  readonly alike: readonly { readonly layer: number; readonly count: number }[];
}

export interface LayerClasses {
  readonly attention: readonly ModelSpec["layers"][number]["attention"][];
  readonly feedForward: readonly FeedForward[];
}

type ClassesOfModel = LayerClasses & { readonly classOf: (layer: number) => [number, number] };
/** Classes of models that were asked for. */
const classesOf = new WeakMap<ModelSpec, ClassesOfModel>();

/** Classes of layers. Layers of equal shape, compared by value, share a class and cost the same. */
export function layerClasses(model: ModelSpec): ClassesOfModel {
  const classes = classesOf.get(model) ?? classify(model);
  classesOf.set(model, classes);
  return classes;
}

function classify(model: ModelSpec): ClassesOfModel {
  const attentionKeys: string[] = [];
  const feedForwardKeys: string[] = [];
  const attention: LayerClasses["attention"][number][] = [];
  const feedForward: FeedForward[] = [];
  const classes: [number, number][] = model.layers.map((layer) => {
    const a = indexFor(attentionKeys, attention, layer.attention);
    const f = indexFor(feedForwardKeys, feedForward, layer.feedForward);
    return [a, f];
  });
  return { attention, feedForward, classOf: (layer) => classes[layer] ?? [0, 0] };
}

function indexFor<T>(keys: string[], values: T[], value: T): number {
  const key = JSON.stringify(value);
  const known = keys.indexOf(key);
  if (known >= 0) return known;
  keys.push(key);
  values.push(value);
  return keys.length - 1;
}

/**
 * Splits the layers over pipeline stages as evenly as whole layers allow. Earlier stages take the remainder. Visits of a
 * layer's experts, and what is joined to a layer, stay with it.
 */
export function stagePlans(model: ModelSpec, pp: number): StagePlan[] {
  const { classOf } = layerClasses(model);
  const plans: StagePlan[] = [];
  const starts = stageStarts(model);
  let started = 0;
  let first = 0;
  let moe = 0;
  for (let stage = 0; stage < pp; stage++) {
    started += Math.floor(starts.length / pp) + (stage < starts.length % pp ? 1 : 0);
    const layers = (starts[started] ?? model.layers.length) - first;
    let expertLayers = 0;
    const attentionClass = new Uint8Array(layers);
    const feedForwardClass = new Uint8Array(layers);
    const moeIndex = new Int32Array(layers).fill(-1);
    for (let i = 0; i < layers; i++) {
      const [a, f] = classOf(first + i);
      attentionClass[i] = a;
      feedForwardClass[i] = f;
      const { feedForward, revisit } = model.layers[first + i]!;
      if (feedForward.kind !== "moe") continue;
      moeIndex[i] = moe++;
      if (revisit === undefined) expertLayers++;
    }
    const alike = alikeLayers(attentionClass, feedForwardClass);
    plans.push({ first, layers, attentionClass, feedForwardClass, moeIndex, expertLayers, alike });
    first += layers;
  }
  return plans;
}

function alikeLayers(attentionClass: Uint8Array, feedForwardClass: Uint8Array): StagePlan["alike"] {
  const found = new Map<number, { layer: number; count: number }>();
  for (let layer = 0; layer < attentionClass.length; layer++) {
    const key = attentionClass[layer]! * 256 + feedForwardClass[layer]!;
    const known = found.get(key);
    if (known === undefined) found.set(key, { layer, count: 1 });
    else known.count++;
  }
  return [...found.values()];
}

/** MoE layers of a model in order. */
export function moeLayers(model: ModelSpec): MoeFeedForward[] {
  return model.layers.flatMap((layer) => (layer.feedForward.kind === "moe" ? [layer.feedForward] : []));
}

/** Weights of one routed expert, in values. */
export function expertValues(moe: MoeFeedForward): number {
  return moe.matrices * moe.expertHidden * moe.expertWidth + moe.expertBiasParameters;
}

/** [MoE layers and visits] pipeline stage of each. */
export const moeStages = (model: ModelSpec, pp: number): number[] =>
  stagePlans(model, pp).flatMap(({ moeIndex }, stage) =>
    Array.from(
      moeIndex.filter((index) => index >= 0),
      () => stage,
    ),
  );

/** MoE layers of a stage that hold experts: those that visit the experts of an earlier one again do not. */
export const holdingLayers = ({ moeIndex, first }: StagePlan, { layers }: ModelSpec): number[] =>
  [...moeIndex].filter((index, layer) => index >= 0 && layers[first + layer]!.revisit === undefined);
