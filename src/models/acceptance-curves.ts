import { refuse } from "../core/errors.ts";
import { own } from "../core/own.ts";
import { closest } from "../core/suggest.ts";

/** A published acceptance length for each number of draft tokens. */
export interface AcceptanceCurve {
  readonly method: "MTP" | "EAGLE-3" | "DSpark";
  /** Served model, and the mode or attention variant that tells its curves apart. */
  readonly model: string;
  /** [i]: mean tokens per verification of i + 1 draft tokens, the model's own token included. */
  readonly lengths: readonly number[];
}

/** Where the curves come from. */
export const acceptanceSource =
  "SemiAnalysis InferenceX, golden_al_distribution at 843c625 (Apache-2.0): coding prompts of SPEED-Bench, " +
  "4096 output tokens, vLLM on B300";

/**
 * Acceptance lengths that serving was measured with. The lengths are not monotone in the number of draft tokens: a longer
 * draft may be accepted less.
 */
const acceptanceCurves: Readonly<Record<string, AcceptanceCurve>> = {
  "qwen3.5-mtp": {
    method: "MTP",
    model: "Qwen3.5-397B-A17B NVFP4, thinking",
    lengths: [1.93, 2.73, 3.39, 3.97, 4.41, 4.8, 5.04, 5.21],
  },
  "qwen3.5-mtp-no-thinking": {
    method: "MTP",
    model: "Qwen3.5-397B-A17B NVFP4, not thinking",
    lengths: [1.92, 2.7, 3.33, 3.83, 4.2, 4.48, 4.73, 4.71],
  },
  "glm-5.2-mtp": {
    method: "MTP",
    model: "GLM-5.2 FP8, thinking",
    lengths: [1.84, 2.5, 2.99, 3.33, 3.61, 3.78, 3.91, 4.06],
  },
  "deepseek-v4-pro-mtp": {
    method: "MTP",
    model: "DeepSeek-V4-Pro, thinking",
    lengths: [1.79, 2.27, 2.49, 2.54, 2.55, 2.55, 2.54, 2.58],
  },
  "deepseek-v4-pro-mtp-no-thinking": {
    method: "MTP",
    model: "DeepSeek-V4-Pro, not thinking",
    lengths: [1.92, 2.61, 2.97, 3.0, 3.1, 3.16, 3.0, 3.11],
  },
  "deepseek-v4-pro-dspark": {
    method: "DSpark",
    model: "DeepSeek-V4-Pro 0813, thinking",
    lengths: [1.84, 2.51, 3.01, 3.36, 3.61, 3.77, 3.73, 3.47],
  },
  "kimi-k2.5-eagle3": {
    method: "EAGLE-3",
    model: "Kimi-K2.5 NVFP4, thinking",
    lengths: [1.83, 2.43, 2.88, 3.24, 3.46, 3.62, 3.71, 3.77],
  },
  "kimi-k2.5-eagle3-no-thinking": {
    method: "EAGLE-3",
    model: "Kimi-K2.5 NVFP4, not thinking",
    lengths: [1.8, 2.33, 2.75, 3.06, 3.25, 3.43, 3.46, 3.51],
  },
  "kimi-k3-dspark": {
    method: "DSpark",
    model: "Kimi K3, thinking",
    lengths: [1.84, 2.45, 2.87, 3.22, 3.44, 3.54, 3.78, 3.88],
  },
  "kimi-k3-dspark-block": {
    method: "DSpark",
    model: "Kimi K3, thinking, probabilistic drafts and block rejection sampling",
    lengths: [1.85, 2.51, 3.0, 3.36, 3.62, 3.75, 3.84, 4.0],
  },
  "minimax-m3-eagle3": {
    method: "EAGLE-3",
    model: "MiniMax-M3, thinking",
    lengths: [1.78, 2.38, 2.83, 3.11, 3.35, 3.45, 3.53, 3.74],
  },
  "minimax-m3-eagle3-no-thinking": {
    method: "EAGLE-3",
    model: "MiniMax-M3, not thinking",
    lengths: [1.84, 2.52, 2.93, 3.41, 3.59, 3.57, 3.85, 4.06],
  },
  "minimax-m3-eagle3-gqa": {
    method: "EAGLE-3",
    model: "MiniMax-M3, draft head with GQA, thinking",
    lengths: [1.79, 2.39, 2.78, 3.02, 3.21, 3.3, 3.52, 3.51],
  },
  "minimax-m3-eagle3-gqa-no-thinking": {
    method: "EAGLE-3",
    model: "MiniMax-M3, draft head with GQA, not thinking",
    lengths: [1.83, 2.46, 2.97, 3.29, 3.72, 3.76, 3.75, 3.93],
  },
};

/** Names of the published curves. */
export const acceptanceCurveNames: readonly string[] = Object.keys(acceptanceCurves);

/** A published curve by name; throws InvalidInputError with the nearest name for one that does not exist. */
export function acceptanceCurveNamed(name: string): AcceptanceCurve {
  const curve = own(acceptanceCurves, name);
  if (curve !== undefined) return curve;
  const near = closest(name, acceptanceCurveNames);
  return refuse({
    at: "acceptance",
    expected: `a probability, a list of them, or one of ${acceptanceCurveNames.join(", ")}`,
    found: name,
    ...(near === null ? {} : { hint: `did you mean ${near}?` }),
  });
}
