import { fitServing } from "../../calibrate/engine/fit-serving.ts";
import { fitVersions, versionFigures } from "../../calibrate/engine/fit-versions.ts";
import { carriedSamples, handlingSamples } from "../../calibrate/engine/handling-samples.ts";
import { fitRequestHandling } from "../../calibrate/engine/request-handling.ts";
import { figuresOf } from "../../calibrate/engine/serving-figures.ts";
import { deploymentKey, type PointSample, servingSamples } from "../../calibrate/engine/serving-samples.ts";
import { engineOf, modelOf, systemOf } from "../../calibrate/measured/names.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { engineNamed } from "../../engine/catalogue.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { relativesOf } from "../../hardware/architectures.ts";
import { systemProfileNamed } from "../../hardware/named-profiles.ts";

/** The architecture of a point's system by its first GPU; the system itself where it has no relatives. */
function architectureOf({ system }: ServingPoint): string {
  const { id } = systemOf(system);
  return id === null ? system : (relativesOf(systemProfileNamed(id).device)[0] ?? id);
}

/** What a point names, by the ids of the catalogue: names of one shape are one model. Unknown names stand as written. */
const idsOf = ({ model, system, engine }: ServingPoint) => ({
  model: modelOf(model).id ?? model,
  system: systemOf(system).id ?? system,
  engine: engineOf(engine).id ?? engine,
});

/**
 * What a fit does not see before it forecasts it, and how points of it are told: by ids, as bands go. Without what is `near`, the fit knows
 * nothing of its model, of the architecture of its system, or of its engine.
 */
export const leftOutKeys = {
  setup: (point: ServingPoint) => Object.values(idsOf(point)).join("|"),
  model: (point: ServingPoint) => idsOf(point).model,
  system: (point: ServingPoint) => idsOf(point).system,
  engine: (point: ServingPoint) => idsOf(point).engine,
  deployment: (point: ServingPoint) => deploymentKey({ ...point, ...idsOf(point) }),
  near: (point: ServingPoint) => {
    const { model, engine } = idsOf(point);
    return [model, architectureOf(point), engine].join("|");
  },
} as const;
export type LeftOut = keyof typeof leftOutKeys;

/**
 * What the forecasts have not seen: nothing (`null`: the committed profiles), all points of a setup, a model, ..., or all
 * of each series but one point that is given (`point`), also where nothing else near was seen (`near-point`).
 */
export type LeaveOut = LeftOut | "point" | "near-point" | null;

/** The engine a point is forecast with; null where its engine is not known. */
export type EngineFor = (point: ServingPoint) => EngineProfile | null;

/** Whether a point is left out with those of `key`. */
function leftOutWith(kind: LeftOut, key: string): (point: ServingPoint) => boolean {
  const keyOf = leftOutKeys[kind];
  if (kind !== "near") return (point) => keyOf(point) === key;
  const parts = key.split("|");
  return (point) =>
    keyOf(point)
      .split("|")
      .some((part, i) => part === parts[i]);
}

/**
 * Fits the engines once for every setup, model, ... that is left out, on the points of all others. An engine that no
 * other point names takes the figures common to engines. TTFTs are simulated once, with the committed figures, and
 * carried to those of each fit.
 */
export function leaveOut(points: readonly ServingPoint[], kind: LeftOut): EngineFor {
  const keyOf = leftOutKeys[kind];
  const samples = servingSamples(points);
  const timed = handlingSamples(samples, ({ engine, version }) => engineNamed(engine, version));
  const fits = new Map(
    [...new Set(points.map(keyOf))].map((key) => {
      const leftOut = leftOutWith(kind, key);
      const seen = samples.filter(({ point }) => !leftOut(point));
      const fit = fitServing(seen);
      const versions = fitVersions(fit, seen);
      const figures = ({ engine, version }: Pick<PointSample, "engine" | "version">) =>
        versionFigures(fit.engines.get(engine) ?? fit.common, versions.get(engine)?.get(version));
      const timedSeen = timed.filter(({ of }) => !leftOut(of.point));
      const handling = fitRequestHandling(carriedSamples(timedSeen, figures));
      return [key, { figures, handling }] as const;
    }),
  );
  return (point) => {
    const { id } = engineOf(point.engine);
    const fitted = fits.get(keyOf(point));
    if (id === null || fitted === undefined) return null;
    const { version } = point;
    return {
      ...engineNamed(id),
      ...figuresOf(fitted.figures({ engine: id, version })),
      ...(fitted.handling.engines.get(id) ?? fitted.handling.common),
      version,
      versions: {},
    };
  };
}
