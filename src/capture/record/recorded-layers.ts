import { refuse } from "../../core/errors.ts";
import type { DecoderPlan, LayerPlan, MoePlan } from "../decoder/plan.ts";

/** Layers that a recording executes, and the shape that all their experts share, as a trace demands. */
export interface RecordedLayers {
  /** From the model's first layer to the last one that has experts. */
  readonly layers: readonly LayerPlan[];
  /** Numbers of those with experts. */
  readonly moeLayers: readonly number[];
  readonly experts: number;
  readonly topK: number;
}

/** The first `count` layers of a model, or all of them, as far as their routing needs them. */
export function recordedLayers(plan: DecoderPlan, count: number | null): RecordedLayers {
  const wanted = plan.layers.slice(0, count ?? plan.layers.length);
  const moe = wanted.filter((layer) => layer.feedForward.kind === "moe");
  const last = moe.at(-1);
  if (last === undefined) {
    const first = plan.layers.find(({ feedForward }) => feedForward.kind === "moe");
    const known = first === undefined ? "none has any" : `layer ${first.index} is the first that has some`;
    return refuse({
      at: "layers",
      expected: "a layer with experts to record",
      found: `${wanted.length} layers`,
      hint: known,
    });
  }
  const shapes = moe.map(({ feedForward }) => feedForward as MoePlan);
  const { experts, topK } = shapes[0]!;
  const other = shapes.find((shape) => shape.experts !== experts || shape.topK !== topK);
  if (other !== undefined)
    refuse({
      at: "layers",
      expected: `${experts} experts and top-${topK} in every layer`,
      found: `${other.experts} experts and top-${other.topK}`,
    });
  return { layers: wanted.slice(0, last.index + 1), moeLayers: moe.map(({ index }) => index), experts, topK };
}
