import { refuse } from "../core/errors.ts";
import type { ModelSpec } from "../models/spec.ts";

/** Layers of a routing trace, as far as mapping needs them. */
interface TraceLayers {
  readonly layers: number;
  /** Model layer of each trace layer, where the trace says so. */
  readonly modelLayers: readonly number[];
}

/** Rule by which MoE layers of the model find their trace layer. */
export type LayerMapChoice = "identity" | "nearest" | "repeat" | readonly number[];

/** Indices of the model's layers that have routed experts. */
export function moeLayerIndices(model: ModelSpec): number[] {
  return [...model.layers.entries()].filter(([, layer]) => layer.feedForward.kind === "moe").map(([index]) => index);
}

/**
 * [MoE layers] trace layer that each MoE layer of the model replays. `identity` goes by the layer numbers of the trace
 * where it has one for every MoE layer. Otherwise it goes by position and refuses a trace of another depth. `nearest`
 * goes by relative depth. `repeat` cycles through the trace's layers.
 */
export function layerMapOf(choice: LayerMapChoice, trace: TraceLayers, model: ModelSpec): number[] {
  const indices = moeLayerIndices(model);
  const depth = indices.length;
  if (typeof choice !== "string") {
    if (choice.length !== depth || choice.some((layer) => layer >= trace.layers))
      refuse({ expected: `${depth} trace layers below ${trace.layers}`, found: choice });
    return [...choice];
  }
  switch (choice) {
    case "identity": {
      const numbered = indices.map((layer) => trace.modelLayers.indexOf(layer));
      if (numbered.every((layer) => layer >= 0)) return numbered;
      if (trace.layers === depth) return indices.map((_layer, position) => position);
      return refuse({
        expected: `a trace of the model's ${depth} MoE layers`,
        found: `${trace.layers} layers`,
        hint: "routing.layerMap nearest or repeat replays a trace of another depth",
      });
    }
    case "nearest":
      return indices.map((_layer, position) =>
        Math.min(trace.layers - 1, Math.floor(((position + 0.5) * trace.layers) / depth)),
      );
    case "repeat":
      return indices.map((_layer, position) => position % trace.layers);
  }
}

/** MoE layers, and the recorded layers that they replay, where some replay the same one; null where each has one of its own. */
export function repeatedLayers(map: readonly number[]): { readonly layers: number; readonly recorded: number } | null {
  const recorded = new Set(map).size;
  return recorded < map.length ? { layers: map.length, recorded } : null;
}

/**
 * What a policy that goes by how layers follow one another needs of a map. Layers that replay the same recorded one choose alike,
 * so such a policy would learn the repetition and seem to foresee. null where each layer has one of its own.
 */
export function refusedDepth(map: readonly number[]): { readonly expected: string; readonly found: string } | null {
  const repeated = repeatedLayers(map);
  if (repeated === null) return null;
  const { layers, recorded } = repeated;
  return {
    expected:
      `routing that records each of the ${layers} MoE layers, for what goes by how they follow one another: layers that ` +
      "replay the same recorded one choose alike, which would pass for foresight",
    found: `${recorded} recorded layers`,
  };
}
