import type { StepInFlight } from "../../sim/replica.ts";
import type { StagePlan } from "../../sim/step/stage-plan.ts";
import { spanKind } from "./span-kinds.ts";

/** What a step computes, over all data-parallel ranks, and which kind of span that is. */
export function stepFigures({ batches }: StepInFlight) {
  let tokens = 0;
  let sequences = 0;
  let promptTokens = 0;
  for (const batch of batches) {
    tokens += batch.tokens;
    sequences += batch.sequences;
    promptTokens += batch.prefillTokens;
  }
  const prompts = promptTokens === tokens ? spanKind.prefillStep : spanKind.mixedStep;
  return { tokens, sequences, promptTokens, kind: promptTokens === 0 ? spanKind.decodeStep : prompts };
}

/** The next layer of a stage that is like one of it, both counted over all stages; the same one behind the last. */
export function nextAlike({ first, layers, attentionClass, feedForwardClass }: StagePlan, layer: number): number {
  const last = layer - first;
  for (let i = last + 1; i < layers; i++)
    if (attentionClass[i] === attentionClass[last] && feedForwardClass[i] === feedForwardClass[last]) return first + i;
  return layer;
}
