import type { LayerSpec, ModelSpec } from "./spec.ts";

/**
 * `iterations` visits of a layer's experts, one after the other (Chain-of-Experts). A layer without experts is visited
 * once.
 */
export function chained(
  layer: LayerSpec,
  iterations: number,
  router: NonNullable<LayerSpec["revisit"]>["router"],
): LayerSpec[] {
  if (layer.feedForward.kind !== "moe") return [layer];
  const again: LayerSpec = {
    attention: { kind: "none" },
    feedForward: layer.feedForward,
    normParameters: 0,
    revisit: { router },
  };
  return [layer, ...Array.from({ length: iterations - 1 }, () => again)];
}

/** Layers at which a pipeline stage may begin. */
export const stageStarts = ({ layers }: ModelSpec): number[] =>
  [...layers.keys()].filter((i) => layers[i]!.revisit === undefined && layers[i]!.joined !== true);

/** Layers with weights of their own: visits of the experts of an earlier one are left out. */
export const ownLayers = ({ layers }: ModelSpec): readonly LayerSpec[] =>
  layers.filter(({ revisit }) => revisit === undefined);

/** [MoE layers and visits] the one that holds the experts: itself, or the one that it visits again. */
export function expertHomes({ layers }: ModelSpec): number[] {
  const homes: number[] = [];
  for (const { feedForward, revisit } of layers)
    if (feedForward.kind === "moe") homes.push(revisit === undefined ? homes.length : homes.at(-1)!);
  return homes;
}
