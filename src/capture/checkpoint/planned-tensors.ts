import type { DecoderPlan, DensePlan, GqaPlan, LayerPlan, LinearPlan, MlaPlan, MoePlan } from "../decoder/plan.ts";

/** A tensor that a plan reads. */
export interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Every tensor that a plan names, with the shape it must have. A tied head is named once. */
export function* plannedTensors(plan: DecoderPlan): Generator<PlannedTensor> {
  const { hiddenSize, vocabSize, embedding, finalNorm, head } = plan;
  yield { name: embedding, shape: [vocabSize, hiddenSize] };
  for (const layer of plan.layers) yield* layerTensors(layer, hiddenSize);
  yield { name: finalNorm, shape: [hiddenSize] };
  if (head.weight !== embedding) yield* linearTensors(head);
}

function* layerTensors(layer: LayerPlan, hiddenSize: number): Generator<PlannedTensor> {
  const { attentionNorm, attention, feedForwardNorm, feedForward } = layer;
  yield { name: attentionNorm, shape: [hiddenSize] };
  yield* attention.kind === "gqa" ? groupedTensors(attention) : latentTensors(attention);
  yield { name: feedForwardNorm, shape: [hiddenSize] };
  yield* feedForward.kind === "dense" ? denseTensors(feedForward) : mixtureTensors(feedForward, hiddenSize);
}

function* linearTensors({ weight, bias, inputWidth, outputWidth }: LinearPlan): Generator<PlannedTensor> {
  yield { name: weight, shape: [outputWidth, inputWidth] };
  if (bias !== null) yield { name: bias, shape: [outputWidth] };
}

function* groupedTensors(plan: GqaPlan): Generator<PlannedTensor> {
  for (const linear of [plan.query, plan.key, plan.value, plan.output]) yield* linearTensors(linear);
  const normWidth = (heads: number) => (plan.normScope === "head" ? plan.headDim : heads * plan.headDim);
  if (plan.queryNorm !== null) yield { name: plan.queryNorm, shape: [normWidth(plan.queryHeads)] };
  if (plan.keyNorm !== null) yield { name: plan.keyNorm, shape: [normWidth(plan.kvHeads)] };
  if (plan.sinks !== null) yield { name: plan.sinks, shape: [plan.queryHeads] };
}

function* latentTensors(plan: MlaPlan): Generator<PlannedTensor> {
  if (plan.queryDown !== null) {
    yield* linearTensors(plan.queryDown.linear);
    yield { name: plan.queryDown.norm, shape: [plan.queryDown.linear.outputWidth] };
  }
  yield* linearTensors(plan.queryUp);
  yield* linearTensors(plan.kvDown);
  yield { name: plan.kvNorm, shape: [plan.kvLoraRank] };
  yield* linearTensors(plan.kvUp);
  yield* linearTensors(plan.output);
}

function* denseTensors(plan: DensePlan): Generator<PlannedTensor> {
  for (const linear of [plan.gate, plan.up, plan.down]) yield* linearTensors(linear);
}

function* mixtureTensors(plan: MoePlan, hiddenSize: number): Generator<PlannedTensor> {
  yield* linearTensors(plan.gate);
  if (plan.selectionBias !== null) yield { name: plan.selectionBias, shape: [plan.experts] };
  const { experts, expertWidth: width, expert } = plan;
  if (expert.kind === "fused") {
    yield { name: expert.gateUp, shape: [experts, hiddenSize, 2 * width] };
    yield { name: expert.gateUpBias, shape: [experts, 2 * width] };
    yield { name: expert.down, shape: [experts, width, hiddenSize] };
    yield { name: expert.downBias, shape: [experts, hiddenSize] };
  } else {
    if (expert.outputScale !== undefined) yield { name: expert.outputScale, shape: [1, experts] };
    for (let e = 0; e < experts; e++) {
      yield { name: expertTensor(expert.gate, e), shape: [width, hiddenSize] };
      yield { name: expertTensor(expert.up, e), shape: [width, hiddenSize] };
      yield { name: expertTensor(expert.down, e), shape: [hiddenSize, width] };
    }
  }
  if (plan.shared !== null) yield* denseTensors(plan.shared);
  if (plan.sharedGate !== null) yield* linearTensors(plan.sharedGate);
}

/** Name of one expert's tensor, from a name with `{}` for its number. */
export function expertTensor(pattern: string, expert: number): string {
  return pattern.replace("{}", String(expert));
}
