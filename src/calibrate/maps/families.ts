import type { KernelFamily } from "../../hardware/kernel-maps.ts";
import {
  attentionDecodeFamily,
  attentionPrefillFamily,
  latentDecodeFamily,
  latentPrefillFamily,
} from "./families/attention.ts";
import { collectiveFamily } from "./families/collective.ts";
import { exchangeFamily } from "./families/exchange.ts";
import type { CalibrationFamily } from "./families/family.ts";
import { gemmFamily } from "./families/gemm.ts";
import { groupedGemmFamily, sentExpertsFamily } from "./families/grouped-gemm.ts";

/** How the kernels of each family are calibrated: one line per family. */
export const calibrationFamilies = {
  gemm: gemmFamily,
  groupedGemm: groupedGemmFamily,
  sentExpertsContiguous: sentExpertsFamily("contiguous"),
  sentExpertsMasked: sentExpertsFamily("masked"),
  attentionPrefill: attentionPrefillFamily,
  attentionDecode: attentionDecodeFamily,
  latentPrefill: latentPrefillFamily,
  latentDecode: latentDecodeFamily,
  allReduce: collectiveFamily,
  allGather: collectiveFamily,
  reduceScatter: collectiveFamily,
  allToAll: collectiveFamily,
  dispatchLowLatency: exchangeFamily,
  combineLowLatency: exchangeFamily,
  dispatchNormal: exchangeFamily,
  combineNormal: exchangeFamily,
  // Each family takes operations of its own kind; samples name their family, so that the two always match.
} satisfies Record<KernelFamily, CalibrationFamily<never>> as Record<KernelFamily, CalibrationFamily<never>>;
