import { expertTensor, plannedTensors } from "../checkpoint/planned-tensors.ts";
import type { DecoderPlan, LayerPlan, MoePlan } from "../decoder/plan.ts";
import type { WeightSource } from "../decoder/weights.ts";
import { type LayerSchedule, readsOf } from "./memory-plan.ts";

/** Bytes of the checkpoint that recording reads at most: the embedding, the layers, and their experts once or once a group. */
export function bytesRead(
  plan: DecoderPlan,
  weights: WeightSource,
  layers: readonly LayerPlan[],
  schedules: readonly LayerSchedule[],
): number {
  const rest = storedBytes({ ...plan, layers: [] }, weights);
  const ofLayers = layers.map((layer, i) => {
    const all = storedBytes({ ...plan, layers: [layer] }, weights) - rest;
    const experts = layer.feedForward.kind === "moe" ? expertBytes(layer.feedForward, weights) : 0;
    return all - experts + (i === layers.length - 1 ? 0 : experts * readsOf(schedules[i]!));
  });
  return ofLayers.reduce((sum, bytes) => sum + bytes, weights.storedBytes(plan.embedding));
}

/** Bits in the checkpoint of a value of the model, on average: what precision the weights have. */
export function storedBitsPerValue(plan: DecoderPlan, weights: WeightSource): number {
  let values = 0;
  for (const { shape } of plannedTensors(plan)) values += shape.reduce((product, size) => product * size, 1);
  return (8 * storedBytes(plan, weights)) / values;
}

/** Bytes of all tensors that a plan names. */
export function storedBytes(plan: DecoderPlan, weights: WeightSource): number {
  let bytes = 0;
  for (const { name } of plannedTensors(plan)) bytes += weights.storedBytes(name);
  return bytes;
}

function expertBytes({ expert, experts }: MoePlan, weights: WeightSource): number {
  const names =
    expert.kind === "fused"
      ? [expert.gateUp, expert.gateUpBias, expert.down, expert.downBias]
      : Array.from({ length: experts }, (_value, e) =>
          [expert.gate, expert.up, expert.down].map((pattern) => expertTensor(pattern, e)),
        ).flat();
  return names.reduce((sum, name) => sum + weights.storedBytes(name), 0);
}
