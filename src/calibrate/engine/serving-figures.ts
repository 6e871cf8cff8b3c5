import type { EngineProfile } from "../../engine/engine-profile.ts";

/** The figures of an engine that are fitted, as one flat list of logarithms. */
export const figureNames = [
  "stepOverheadNs",
  "sequenceOverheadNs",
  "prefillStepOverheadNs",
  "kernelOverheadNs",
  "gqaKernels",
  "mlaKernels",
  "sparseMlaKernels",
  "linearKernels",
  "fp8BlockKernels",
  "int4Kernels",
  "nvfp4Kernels",
  "mxfp4Kernels",
  "kernelFactor",
  "collectiveFactor",
  "prefillFactor",
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
  | "kernelsPerLayer"
  | "formatKernels"
  | "kernelFactor"
  | "collectiveFactor"
  | "prefillFactor"
>;

/** What is believed of a figure before any served deployment is seen: of the common value, and of engines about it. */
export interface FigurePrior {
  /** Value of an engine nobody has measured. */
  readonly value: number;
  /** Standard deviation of the logarithm of the common value, and of one engine's about it. */
  readonly sigma: number;
  readonly engineSigma: number;
}

/**
 * Priors. Overheads: accuracy studies of served points give about 0.5 ms a step, 10 us a sequence and 4 us a kernel with
 * 11 to 26 kernels a layer; kernels and collectives take their measured times, give or take a tenth or two.
 */
export const figurePriors = {
  stepOverheadNs: { value: 500_000, sigma: 0.5, engineSigma: 0.5 },
  sequenceOverheadNs: { value: 8000, sigma: 0.5, engineSigma: 0.5 },
  prefillStepOverheadNs: { value: 1_000_000, sigma: 0.7, engineSigma: 0.7 },
  kernelOverheadNs: { value: 1500, sigma: 0.6, engineSigma: 0.2 },
  gqaKernels: { value: 11, sigma: 0.3, engineSigma: 0.1 },
  mlaKernels: { value: 17, sigma: 0.3, engineSigma: 0.1 },
  sparseMlaKernels: { value: 26, sigma: 0.3, engineSigma: 0.1 },
  linearKernels: { value: 14, sigma: 0.3, engineSigma: 0.1 },
  fp8BlockKernels: { value: 1.4, sigma: 0.2, engineSigma: 0.1 },
  int4Kernels: { value: 1.5, sigma: 0.2, engineSigma: 0.1 },
  nvfp4Kernels: { value: 1.2, sigma: 0.2, engineSigma: 0.1 },
  mxfp4Kernels: { value: 1.2, sigma: 0.2, engineSigma: 0.1 },
  kernelFactor: { value: 1.05, sigma: 0.08, engineSigma: 0.06 },
  collectiveFactor: { value: 1.1, sigma: 0.3, engineSigma: 0.15 },
  prefillFactor: { value: 1.1, sigma: 0.15, engineSigma: 0.15 },
} as const satisfies Record<FigureName, FigurePrior>;

/** The figures behind a list of logarithms in the order of {@link figureNames}. */
export function figuresOf(logs: ArrayLike<number>): ServingFigures {
  const at = (name: FigureName) => Math.exp(logs[figureIndex[name]]!);
  return {
    stepOverheadNs: at("stepOverheadNs"),
    sequenceOverheadNs: at("sequenceOverheadNs"),
    prefillStepOverheadNs: at("prefillStepOverheadNs"),
    kernelOverheadNs: at("kernelOverheadNs"),
    kernelsPerLayer: {
      gqa: at("gqaKernels"),
      mla: at("mlaKernels"),
      sparseMla: at("sparseMlaKernels"),
      linear: at("linearKernels"),
    },
    formatKernels: {
      fp8Block: at("fp8BlockKernels"),
      int4: at("int4Kernels"),
      nvfp4: at("nvfp4Kernels"),
      mxfp4: at("mxfp4Kernels"),
    },
    kernelFactor: at("kernelFactor"),
    collectiveFactor: at("collectiveFactor"),
    prefillFactor: at("prefillFactor"),
  };
}

/** The inverse of {@link figuresOf}. */
export function logsOf(figures: ServingFigures): Float64Array {
  const { kernelsPerLayer, formatKernels } = figures;
  const values: Record<FigureName, number> = {
    ...figures,
    gqaKernels: kernelsPerLayer.gqa,
    mlaKernels: kernelsPerLayer.mla,
    sparseMlaKernels: kernelsPerLayer.sparseMla,
    linearKernels: kernelsPerLayer.linear,
    fp8BlockKernels: formatKernels.fp8Block,
    int4Kernels: formatKernels.int4,
    nvfp4Kernels: formatKernels.nvfp4,
    mxfp4Kernels: formatKernels.mxfp4,
  };
  return Float64Array.from(figureNames, (name) => Math.log(values[name]));
}
