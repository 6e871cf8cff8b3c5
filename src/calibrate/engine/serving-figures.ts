import { type EngineProfile, kernelFormats, kernelParts } from "../../engine/engine-profile.ts";
import { kernelUnits } from "../../sim/step/layer-kernels.ts";

/** The figures of an engine that are fitted, as one flat list of logarithms. */
export const figureNames = [
  "stepOverheadNs",
  "sequenceOverheadNs",
  "prefillStepOverheadNs",
  "kernelOverheadNs",
  ...kernelUnits,
  "kernelExcess",
  "prefillExcess",
  "collectiveFactor",
] as const;
export type FigureName = (typeof figureNames)[number];

/** Place of each figure in the list. */
export const figureIndex = Object.fromEntries(figureNames.map((name, index) => [name, index])) as Readonly<
  Record<FigureName, number>
>;

/** The same figures as an engine profile holds them. */
export type ServingFigures = Pick<
  EngineProfile,
  | "stepOverheadNs"
  | "sequenceOverheadNs"
  | "prefillStepOverheadNs"
  | "kernelOverheadNs"
  | "layerKernels"
  | "formatKernels"
  | "kernelExcess"
  | "prefillExcess"
  | "collectiveFactor"
>;

/** What is believed of a figure before any served deployment is seen: of the common value, and of engines about it. */
export interface FigurePrior {
  /** Value of an engine nobody has measured. */
  readonly value: number;
  /** Standard deviation of the logarithm of the common value, and of one engine's about it. */
  readonly sigma: number;
  readonly engineSigma: number;
}

/** How far the counts of kernels are believed: a kernel in three may be fused or split, less between engines. */
const counted = (value: number): FigurePrior => ({ value, sigma: 0.4, engineSigma: 0.1 });

/**
 * Priors. Overheads: accuracy studies of served points give about 0.5 ms a step and 10 us a sequence. Kernels: counted in
 * the model code of vLLM and SGLang, those of one layer in a decode step. Half of the excess remains, as launches of a
 * graph run into one another; none of that of prompts is hidden. Collectives take their measured times, give or take.
 */
export const figurePriors = {
  stepOverheadNs: { value: 500_000, sigma: 0.5, engineSigma: 0.5 },
  sequenceOverheadNs: { value: 8000, sigma: 0.5, engineSigma: 0.5 },
  prefillStepOverheadNs: { value: 1_000_000, sigma: 0.7, engineSigma: 0.7 },
  kernelOverheadNs: { value: 1500, sigma: 0.6, engineSigma: 0.15 },
  // Norm, query-key-value product, rotary embedding, cache write, scores, output product.
  attention: counted(6),
  // Queries, keys.
  queryKeyNorm: counted(2),
  outputGate: counted(1),
  // Norm, down-projections, inner norms, query up, rotary embedding, cache write, absorbed key, scores, value up, output.
  latentAttention: counted(10),
  // Query, key and weight products, norm, rotary embedding, transform, quantisation, cache write, logits, top-k.
  indexer: counted(10),
  // Norm, two input products, split, convolution, gates, state update, gated norm, output product.
  linearAttention: counted(9),
  // Norm, up, activation, down.
  dense: counted(4),
  // Norm, router product, top-k, sort, up with activation, down, weighted sum.
  experts: counted(7),
  // Beside the routed experts: up with activation, down.
  sharedExperts: counted(2),
  fp8: counted(1),
  fp8Block: counted(1),
  int4: counted(1),
  nvfp4: counted(1),
  // Half of the devices take 16-bit activations, which need none.
  mxfp4: counted(0.5),
  kernelExcess: { value: 0.5, sigma: 0.2, engineSigma: 0.1 },
  prefillExcess: { value: 1.1, sigma: 0.15, engineSigma: 0.15 },
  collectiveFactor: { value: 1.1, sigma: 0.3, engineSigma: 0.15 },
} as const satisfies Record<FigureName, FigurePrior>;

/** The figures behind a list of logarithms in the order of {@link figureNames}. */
export function figuresOf(logs: ArrayLike<number>): ServingFigures {
  const at = (name: FigureName) => Math.exp(logs[figureIndex[name]]!);
  const all = <Name extends FigureName>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, at(name)])) as Record<Name, number>;
  return {
    stepOverheadNs: at("stepOverheadNs"),
    sequenceOverheadNs: at("sequenceOverheadNs"),
    prefillStepOverheadNs: at("prefillStepOverheadNs"),
    kernelOverheadNs: at("kernelOverheadNs"),
    layerKernels: all(kernelParts),
    formatKernels: all(kernelFormats),
    kernelExcess: at("kernelExcess"),
    prefillExcess: at("prefillExcess"),
    collectiveFactor: at("collectiveFactor"),
  };
}

/** The inverse of {@link figuresOf}. */
export function logsOf(figures: ServingFigures): Float64Array {
  const values: Record<FigureName, number> = { ...figures, ...figures.layerKernels, ...figures.formatKernels };
  return Float64Array.from(figureNames, (name) => Math.log(values[name]));
}
