import type { Problem } from "../core/errors.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import { stageStarts } from "../models/visits.ts";

/** Spread of one replica over devices. Attention uses tp x cp x dp ranks, experts ep x etp x edp of the same ranks. */
export interface Mapping {
  readonly tp: number;
  readonly cp: number;
  readonly dp: number;
  readonly pp: number;
  readonly ep: number;
  readonly etp: number;
  readonly edp: number;
}

/** Devices of one replica. */
export const devicesOf = (mapping: Mapping): number => mapping.tp * mapping.cp * mapping.dp * mapping.pp;

/** Devices of one pipeline stage. They share its layers. */
export const stageRanks = (mapping: Mapping): number => mapping.tp * mapping.cp * mapping.dp;

/**
 * How the ranks of a context-parallel group keep the KV cache: each a part of its tokens, or each all of it (SGLang, --attn-cp-size;
 * vLLM, --prefill-context-parallel-size without --decode-context-parallel-size).
 */
export const cpKvCaches = ["sharded", "replicated"] as const;
export type CpKvCache = (typeof cpKvCaches)[number];

/** Parts that the KV cache of a data-parallel rank is divided into along the context. */
export function kvShards({
  mapping,
  cpKvCache,
}: {
  readonly mapping: Mapping;
  readonly cpKvCache?: CpKvCache;
}): number {
  return cpKvCache === "replicated" ? 1 : mapping.cp;
}

/** Devices that share the tokens of a data-parallel rank when these go to their experts. */
export const sharersOf = (mapping: Mapping): number => mapping.tp * mapping.cp;

/** Devices that hold one copy of all experts of a stage: consecutive ones. Tokens never leave their group. */
export const expertGroupRanks = (mapping: Mapping): number => mapping.ep * mapping.etp;

/** Tensor-parallel groups with tokens of their own that one copy of the experts serves. */
export const sourcesPerGroup = (mapping: Mapping): number => (mapping.cp * mapping.dp) / mapping.edp;

/** Whether tokens travel to their experts and back. Otherwise all devices of an expert group have the same tokens. */
export const exchangesTokens = (mapping: Mapping): boolean => sourcesPerGroup(mapping) > 1;

/** The MoE feed-forward of the model, or null if it has none. All MoE layers of a model have one shape. */
export function moeShape(model: ModelSpec): MoeFeedForward | null {
  for (const layer of model.layers) if (layer.feedForward.kind === "moe") return layer.feedForward;
  return null;
}

/** Problems of a mapping for a model: those of its degrees and, where these are in order, of what they divide. */
export function mappingProblems(mapping: Mapping, model: ModelSpec, at = "parallel"): Problem[] {
  const degrees = degreeProblems(mapping, model, at);
  return Object.values(mapping).every(isDegree) ? [...degrees, ...divisionProblems(mapping, model, at)] : degrees;
}

const isDegree = (value: number): boolean => Number.isInteger(value) && value >= 1;

/** Degrees that are none, break an identity, exceed what there is, or are not simulated. */
export function degreeProblems(mapping: Mapping, model: ModelSpec, at = "parallel"): Problem[] {
  const problems: Problem[] = [];
  const say = (key: string, expected: string, found: unknown) => problems.push({ at: `${at}.${key}`, expected, found });
  for (const [key, value] of Object.entries(mapping)) if (!isDegree(value)) say(key, "a positive integer", value);
  if (problems.length > 0) return problems;

  const attention = stageRanks(mapping);
  const experts = mapping.ep * mapping.etp * mapping.edp;
  const moe = moeShape(model);
  if (moe !== null && attention !== experts)
    say("ep", `tp*cp*dp == etp*ep*edp, here ${attention} == ${experts}`, mapping.ep);
  const linear = model.layers.some(({ attention: { kind } }) => kind === "linear");
  if (mapping.cp > 1 && linear)
    say("cp", "1: a scan of linear attention over a divided prompt is not simulated", mapping.cp);
  if (mapping.edp > 1 && moe === null) say("edp", "1: the model has no routed experts", mapping.edp);
  else if (mapping.edp > 1 && attention === experts && (mapping.cp * mapping.dp) % mapping.edp !== 0)
    say(
      "edp",
      `a divisor of cp*dp ${mapping.cp * mapping.dp}: a copy of the experts serves whole tensor-parallel groups of attention`,
      mapping.edp,
    );
  const layers = stageStarts(model).length;
  if (mapping.pp > layers) say("pp", `at most ${layers} layers`, mapping.pp);
  if (moe !== null && mapping.ep > moe.experts) say("ep", `at most ${moe.experts} experts`, mapping.ep);
  return problems;
}

/** Heads and widths that no engine divides by these degrees. */
export function divisionProblems({ tp, etp }: Mapping, model: ModelSpec, at = "parallel"): Problem[] {
  const problems: Problem[] = [];
  const say = (key: string, expected: string, found: unknown) => problems.push({ at: `${at}.${key}`, expected, found });
  for (const { attention: spec } of model.layers) {
    if (spec.kind !== "gqa" && spec.kind !== "mla") continue;
    if (spec.queryHeads % tp !== 0) {
      say("tp", `a divisor of ${spec.queryHeads} query heads`, tp);
      break;
    }
    // Key-value heads are divided over the ranks, or each is held by the same number of ranks.
    if (spec.kind === "gqa" && spec.kvHeads % tp !== 0 && tp % spec.kvHeads !== 0) {
      say("tp", `a divisor or a multiple of ${spec.kvHeads} key-value heads`, tp);
      break;
    }
  }
  const moe = moeShape(model);
  if (moe !== null && moe.expertWidth % etp !== 0) say("etp", `a divisor of the expert width ${moe.expertWidth}`, etp);
  return problems;
}
