import { quantile } from "../../core/quantile.ts";
import { engineNamed } from "../../engine/catalogue.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { engineOfVersion } from "../../engine/resolve-engine.ts";
import { kernelUnits } from "../../sim/step/layer-kernels.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { closedLoopTpotNs } from "./closed-loop.ts";
import { type FittedServing, fitServing } from "./fit-serving.ts";
import { type FittedVersions, fitVersions, versionFigures, versionProfile } from "./fit-versions.ts";
import { handlingSamples } from "./handling-samples.ts";
import { fitRequestHandling, handledNs } from "./request-handling.ts";
import { figuresOf } from "./serving-figures.ts";
import { servingSamples } from "./serving-samples.ts";

/** An engine fitted to measured points, and how well it fits them. */
export interface EngineCalibration {
  readonly engine: EngineProfile;
  readonly points: number;
  readonly groups: number;
  /** Counts of kernels that no point of the engine launches: they are what engines have in common. */
  readonly unseen: ReadonlySet<string>;
  /** Of the steady-state TPOT over the points of the engine, percent. */
  readonly medianAbsolutePercent: number;
  readonly biasPercent: number;
  /** Points below saturation whose TTFT took part, and its median error, percent; null where there are none. */
  readonly timedPoints: number;
  readonly ttftMedianAbsolutePercent: number | null;
}

/**
 * Fits the figures of every engine that the points name: TPOT figures of all engines together, then the handling of
 * requests from their TTFTs, of all together too. In order of engine ids, or only `wanted`.
 */
export function calibrateEngines(points: readonly ServingPoint[], wanted?: string): EngineCalibration[] {
  const samples = servingSamples(points);
  const fit = fitServing(samples);
  if (wanted !== undefined && !fit.engines.has(wanted)) return [];
  const versions = fitVersions(fit, samples);
  const engines = fittedEngines(fit, versions);
  const timed = handlingSamples(samples, ({ engine, version }) => engineOfVersion(engines.get(engine)!, version));
  const handling = fitRequestHandling(timed);
  const ids = [...engines.keys()].filter((id) => wanted === undefined || id === wanted).sort();
  return ids.map((id) => {
    const own = samples.filter((sample) => sample.engine === id);
    const errors = own.map(({ loop, tpotNs, version }) => {
      const values = versionFigures(fit.engines.get(id)!, versions.get(id)?.get(version)).map(Math.exp);
      return 100 * (closedLoopTpotNs(loop, values) / tpotNs - 1);
    });
    const engine = { ...engines.get(id)!, ...handling.engines.get(id) };
    const ttftErrors = timed
      .filter(({ of }) => of.engine === id)
      .map((sample) => 100 * ((sample.unhandledNs + handledNs(engine, sample.promptTokens)) / sample.measuredNs - 1));
    return {
      engine,
      points: own.length,
      unseen: new Set(kernelUnits.filter((_, unit) => own.every(({ loop }) => loop.units[unit] === 0))),
      groups: new Set(own.map(({ point }) => `${point.model}|${point.system}`)).size,
      medianAbsolutePercent: medianSize(errors) ?? 0,
      biasPercent: errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length),
      timedPoints: ttftErrors.length,
      ttftMedianAbsolutePercent: medianSize(ttftErrors),
    };
  });
}

/** The engines of a fit with their versions; the handling of requests is still that of their profiles. */
function fittedEngines({ engines }: FittedServing, versions: FittedVersions): Map<string, EngineProfile> {
  return new Map(
    [...engines].map(([id, logs]) => {
      const factors = [...(versions.get(id) ?? [])].map(([version, values]) => [version, versionProfile(values)]);
      return [id, { ...engineNamed(id), ...figuresOf(logs), versions: Object.fromEntries(factors) }];
    }),
  );
}

function medianSize(errors: readonly number[]): number | null {
  return errors.length === 0 ? null : quantile(Float64Array.from(errors, Math.abs).sort(), 0.5);
}
