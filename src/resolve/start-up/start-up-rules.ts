import { latentAttention, sparseAttention } from "./rules/attention-on-devices.ts";
import { sglangContextLayouts, tensorrtLlmContextLayouts, vllmContextLayouts } from "./rules/context-layouts.ts";
import { deepEpShapes } from "./rules/deepep-shapes.ts";
import { evenDivisions, evenWidths } from "./rules/divisions.ts";
import { fp8ExpertSlices, groupedExpertSlices, paddedExpertSlices, tiledExpertSlices } from "./rules/expert-slices.ts";
import { evenDeepEpExperts, evenEplbExperts, evenExperts } from "./rules/experts-over-ranks.ts";
import {
  ascendFormats,
  bf16BeforeAmpere,
  ggmlFormats,
  llamaCppFormats,
  llamaCppOnAscend,
  rocmFormats,
  sglangFormats,
  tensorrtLlmFormats,
  vllmIntegers,
} from "./rules/formats-on-devices.ts";
import { sglangKvFormats, tensorrtLlmKvFormats, vllmKvFormats } from "./rules/kv-formats.ts";
import { fp8LayerSlices, groupedLayerSlices } from "./rules/layer-slices.ts";
import { llamaCppLayouts, tensorrtLlmAttention, vllmExpertLayouts } from "./rules/layouts.ts";
import { contextBeyondModel, llamaCppContext, vllmStepBudget } from "./rules/limits.ts";
import { linearHeads } from "./rules/linear-heads.ts";
import { modelFamilies } from "./rules/model-families.ts";
import { prefixesOfStates } from "./rules/prefix-sharing.ts";
import { sglangSpeculationInStages, vllmSpeculationInStages } from "./rules/speculation-in-stages.ts";
import type { Deployment, Finding, StartUpRule } from "./start-up-rule.ts";

/** What engines of the catalogue are known to refuse at start, or to do otherwise. */
export const startUpRules: readonly StartUpRule[] = [
  modelFamilies,
  evenDivisions,
  evenWidths,
  fp8ExpertSlices,
  groupedExpertSlices,
  tiledExpertSlices,
  paddedExpertSlices,
  fp8LayerSlices,
  groupedLayerSlices,
  linearHeads,
  evenExperts,
  evenEplbExperts,
  evenDeepEpExperts,
  deepEpShapes,
  vllmExpertLayouts,
  tensorrtLlmAttention,
  llamaCppLayouts,
  vllmContextLayouts,
  sglangContextLayouts,
  tensorrtLlmContextLayouts,
  sparseAttention,
  latentAttention,
  tensorrtLlmFormats,
  sglangFormats,
  vllmIntegers,
  rocmFormats,
  ascendFormats,
  ggmlFormats,
  llamaCppFormats,
  llamaCppOnAscend,
  bf16BeforeAmpere,
  vllmKvFormats,
  sglangKvFormats,
  tensorrtLlmKvFormats,
  contextBeyondModel,
  llamaCppContext,
  vllmStepBudget,
  prefixesOfStates,
  vllmSpeculationInStages,
  sglangSpeculationInStages,
];

/**
 * What the engine of a deployment does at start; nothing where it is not known to object. With a refusal among them it
 * does not start.
 */
export function startUpFindings(deployment: Deployment): readonly Finding[] {
  const { id } = deployment.engine;
  const port = isPort(deployment);
  const applies = ({ engines }: StartUpRule) => engines === "every" || (!port && engines.includes(id));
  const found = startUpRules.filter(applies).flatMap((rule) => rule.check(deployment));
  // Slices of what cannot be divided are no matter of their own.
  const undivided = new Set(found.flatMap(({ final, at }) => (final === true ? [at] : [])));
  return found.filter(({ final, at }) => final === true || !undivided.has(at));
}

/** On platforms without a profile of its own an engine is a port with loaders and kernels of its own; llama.cpp is one program. */
function isPort({ engine, node: { device } }: Deployment): boolean {
  return device.platform !== undefined && engine.id !== "llama.cpp" && !engine.id.endsWith(`-${device.platform}`);
}
