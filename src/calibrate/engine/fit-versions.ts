import type { EngineProfile } from "../../engine/engine-profile.ts";
import { type FigureFactor, fitFactors, withFactors } from "./fit-factors.ts";
import type { FittedServing, ServingSample } from "./fit-serving.ts";

/** What a version of an engine may change, and how far; keys are those of an engine profile's `versions`. */
const versionFactors = [
  { key: "kernels", figures: ["kernelExcess", "prefillExcess"], sigma: 0.05 },
  { key: "overheads", figures: ["kernelOverheadNs", "stepOverheadNs"], sigma: 0.07 },
  { key: "prefill", figures: ["prefillExcess"], sigma: 0.07 },
] as const satisfies readonly (FigureFactor & { readonly key: keyof EngineProfile["versions"][string] })[];

/** Scatter of ln(forecast / measured) that no factor explains, and where the robust loss begins. */
const scatter = { noise: 0.1, robustFrom: 0.12 };

/** Logarithms of the factors of every version of every engine, by engine id and version as measurements write it. */
export type FittedVersions = ReadonlyMap<string, ReadonlyMap<string, Float64Array>>;

/**
 * Small factors per version of an engine about the figures fitted to all its versions. Their priors are narrow: a version
 * that is measured on one model must not take that model's error for its own.
 */
export function fitVersions(fit: FittedServing, samples: readonly ServingSample[]): FittedVersions {
  const byEngine = new Map<string, Map<string, Float64Array>>();
  for (const [engine, figures] of fit.engines) {
    const own = samples.filter((sample) => sample.engine === engine);
    const versions = [...new Set(own.map(({ version }) => version))].sort();
    byEngine.set(
      engine,
      new Map(
        versions.map((version) => [
          version,
          fitFactors(
            figures,
            own.filter((sample) => sample.version === version),
            versionFactors,
            scatter,
          ),
        ]),
      ),
    );
  }
  return byEngine;
}

/** Figures (logarithms) of a version of an engine; those of the engine where the version was not fitted. */
export function versionFigures(figures: Float64Array, factors: Float64Array | undefined): Float64Array {
  return factors === undefined ? figures : withFactors(figures, versionFactors, factors);
}

/** Factors as an engine profile holds them. */
export function versionProfile(factors: Float64Array): EngineProfile["versions"][string] {
  const at = (key: (typeof versionFactors)[number]["key"]) =>
    Math.exp(factors[versionFactors.findIndex((factor) => factor.key === key)]!);
  return { kernels: at("kernels"), overheads: at("overheads"), prefill: at("prefill") };
}
