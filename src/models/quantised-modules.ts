import type { LayerSpec, TensorClass } from "./spec.ts";

/** Tensor classes that tools quantise. */
export type QuantisedClass = Extract<TensorClass, "attention" | "dense" | "shared" | "experts" | "head">;

/** How tools name the modules of a class, in Hugging Face, DeepSeek and Nemotron spelling; the first match counts. */
const moduleNames: readonly (readonly [QuantisedClass, RegExp])[] = [
  ["head", /\blm_head\b|^head$/],
  ["shared", /shared_expert/],
  ["experts", /\bexperts|block_sparse_moe\*/],
  ["attention", /self_attn|linear_attn|\battn\b|self_attention|mixer\.(?:[qkvo]|in|out)_proj/],
  ["dense", /mlps\b|mlp\*|mlp\W*(?:gate_up|gate|up|down)[_|]|feed_forward\W*(?:gate|up|down)/],
];

/** Small tensors inside a class, and parts outside the language model, which say nothing about the class. */
const besideThePoint = /norm|bias|indexer|router|vision|visual|embed_|mtp|projector/;

/** Tensor class of a module name or pattern, or null. */
export function classOfModule(name: string): QuantisedClass | null {
  return moduleNames.find(([, spelling]) => spelling.test(name))?.[0] ?? null;
}

/** `model.layers.0*`: a whole layer. */
const wholeLayer = /layers\.\d+\.?\*$/;

/**
 * Tensor classes that a list of module patterns leaves in the base format. The spec holds one format a class, so a class
 * counts as excluded when a pattern over all layers names it, or patterns name at least half of the layers that have it;
 * `partly` are those for which the other layers differ.
 */
export function excludedClasses(
  patterns: readonly string[],
  layers: readonly LayerSpec[],
): { readonly excluded: ReadonlySet<QuantisedClass>; readonly partly: ReadonlySet<QuantisedClass> } {
  const excluded = new Set<QuantisedClass>();
  const named = new Map<QuantisedClass, Set<number>>();
  for (const pattern of patterns) {
    if (besideThePoint.test(pattern)) continue;
    const layerText = /layers\.(\d+)/.exec(pattern)?.[1];
    const tensorClass = classOfModule(pattern);
    const whole = wholeLayer.test(pattern);
    if (layerText === undefined) {
      if (tensorClass !== null) excluded.add(tensorClass);
      continue;
    }
    const layer = Number(layerText);
    for (const [candidate] of moduleNames) {
      if ((candidate !== tensorClass && !whole) || !holds(layers[layer], candidate)) continue;
      named.set(candidate, (named.get(candidate) ?? new Set()).add(layer));
    }
  }
  const partly = new Set<QuantisedClass>();
  for (const [tensorClass, indices] of named) {
    const holding = layers.filter((layer) => holds(layer, tensorClass)).length;
    if (excluded.has(tensorClass)) continue;
    if (indices.size < holding) partly.add(tensorClass);
    if (indices.size * 2 >= holding) excluded.add(tensorClass);
  }
  return { excluded, partly };
}

function holds(layer: LayerSpec | undefined, tensorClass: QuantisedClass): boolean {
  if (layer === undefined) return false;
  const { attention, feedForward } = layer;
  switch (tensorClass) {
    case "attention":
      return attention.kind !== "none";
    case "dense":
      return feedForward.kind === "dense" || (feedForward.kind === "moe" && feedForward.denseWidth > 0);
    case "shared":
      return feedForward.kind === "moe" && feedForward.sharedWidth > 0;
    case "experts":
      return feedForward.kind === "moe";
    case "head":
      return false;
  }
}
