import { type Mapping, mappingProblems } from "../../sim/mapping.ts";
import type { AdviceRule, Change, Situation } from "./advice-rule.ts";

/** The change to another mapping of the same devices; null where the model cannot be spread so. */
function remapped({ config }: Situation, parts: Partial<Mapping>, text: string): Change | null {
  const mapping = { ...config.mapping, ...parts };
  if (Object.values(mapping).some((degree) => !Number.isInteger(degree))) return null;
  if (mappingProblems(mapping, config.model).length > 0) return null;
  return { text, set: Object.entries(parts).map(([key, degree]) => `parallel.${key}=${degree}`) };
}

/** Ranks of one tensor-parallel group share every sequence: none waits for another's. */
export const fewerDataParallelRanks: AdviceRule = {
  causes: ["promptWait", "attentionWait", "dispatch", "combine", "dense", "head"],
  change: (situation) => {
    const { tp, dp } = situation.config.mapping;
    if (dp === 1) return null;
    return remapped(situation, { dp: dp / 2, tp: tp * 2 }, "fewer data-parallel ranks, each over more devices");
  },
};

/** Data-parallel ranks need no all-reduce in attention, and hold no copies of each other's KV cache. */
export const moreDataParallelRanks: AdviceRule = {
  causes: ["allReduce", "attention", "queue"],
  change: (situation) => {
    const { tp, dp } = situation.config.mapping;
    if (tp === 1) return null;
    return remapped(situation, { dp: dp * 2, tp: tp / 2 }, "more data-parallel ranks, each over fewer devices");
  },
};

/** Slices of all experts load every rank alike, whichever experts are asked for. */
export const slicedExperts: AdviceRule = {
  causes: ["expertWait", "dispatch", "combine"],
  change: (situation) => {
    const { ep, etp } = situation.config.mapping;
    if (ep === 1 || situation.policy.placement !== undefined) return null;
    return remapped(
      situation,
      { ep: ep / 2, etp: etp * 2 },
      "fewer expert ranks, each expert sliced over more devices",
    );
  },
};

/** Whole experts instead of slices: fewer, larger products. */
export const wholeExperts: AdviceRule = {
  causes: ["experts"],
  change: (situation) => {
    const { ep, etp } = situation.config.mapping;
    if (etp === 1) return null;
    return remapped(situation, { ep: ep * 2, etp: etp / 2 }, "whole experts on more expert ranks instead of slices");
  },
};

/** Stages wait for each other's hand-offs where too few requests are in flight. */
export const fewerStages: AdviceRule = {
  causes: ["pipeline"],
  change: (situation) => {
    const { tp, pp, ep } = situation.config.mapping;
    if (pp === 1) return null;
    return remapped(situation, { pp: pp / 2, tp: tp * 2, ep: ep * 2 }, "fewer pipeline stages, each over more devices");
  },
};
