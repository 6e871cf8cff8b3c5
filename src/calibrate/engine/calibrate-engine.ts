import { engineNamed } from "../../engine/catalogue.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { closedLoopTpotNs } from "./closed-loop.ts";
import { fitServing } from "./fit-serving.ts";
import { fitVersions, versionFigures, versionProfile } from "./fit-versions.ts";
import { fitRequestHandling } from "./request-handling.ts";
import { figuresOf } from "./serving-figures.ts";
import { servingSamples } from "./serving-samples.ts";

/** An engine fitted to measured points, and how well it fits them. */
export interface EngineCalibration {
  readonly engine: EngineProfile;
  readonly points: number;
  readonly groups: number;
  /** Of the steady-state TPOT over the points of the engine, percent. */
  readonly medianAbsolutePercent: number;
  readonly biasPercent: number;
}

/**
 * Fits the figures of every engine that the points name: TPOT figures of all engines together, then for each (or only for
 * `wanted`) the handling time of a request from its TTFT. In order of engine ids.
 */
export function calibrateEngines(points: readonly ServingPoint[], wanted?: string): EngineCalibration[] {
  const samples = servingSamples(points);
  const fit = fitServing(samples);
  const versions = fitVersions(fit, samples);
  const ids = [...fit.engines.keys()].filter((id) => wanted === undefined || id === wanted).sort();
  return ids.map((id) => {
    const logs = fit.engines.get(id) ?? fit.common;
    const own = samples.filter((sample) => sample.engine === id);
    const factors = versions.get(id) ?? new Map<string, Float64Array>();
    const errors = own.map(({ loop, tpotNs, version }) => {
      const values = versionFigures(logs, factors.get(version)).map(Math.exp);
      return 100 * (closedLoopTpotNs(loop, values) / tpotNs - 1);
    });
    const sizes = errors.map(Math.abs).sort((a, b) => a - b);
    const fitted = Object.fromEntries([...factors].map(([version, values]) => [version, versionProfile(values)]));
    const engine = { ...engineNamed(id), ...figuresOf(logs), versions: fitted };
    return {
      engine: { ...engine, ...fitRequestHandling(engine, own) },
      points: own.length,
      groups: new Set(own.map(({ point }) => `${point.model}|${point.system}`)).size,
      medianAbsolutePercent: sizes[Math.floor(sizes.length / 2)] ?? 0,
      biasPercent: errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length),
    };
  });
}
