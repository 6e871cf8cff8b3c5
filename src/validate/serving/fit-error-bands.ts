import { deploymentKey } from "../../calibrate/engine/serving-samples.ts";
import { namesOf } from "../../calibrate/measured/names.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { refuse } from "../../core/errors.ts";
import { quantile } from "../../core/quantile.ts";
import type { Band } from "../../forecast/bands/band.ts";
import type {
  BandClass,
  ErrorBandTable,
  LatencyBands,
  MeasuredDeployment,
  ValidatedSetup,
} from "../../forecast/bands/error-band-table.ts";
import { setupOf } from "./point-bands.ts";
import {
  bandOf,
  type Coverage,
  calibratedShare,
  crossFittedCoverage,
  type Residual,
  relativeResiduals,
  type SetupScales,
  setupScales,
} from "./residual-bands.ts";
import type { PointError } from "./validation.ts";

const nominal = 0.8;

/** Fewer residuals than this say nothing of their outer tenths. */
const residualsMin = 20;

/** Errors of forecasts of each class: what they come from is left out of the fit, or given but for one point. */
export type LeftOutErrors = Readonly<Record<BandClass, readonly PointError[]>>;

export interface FittedBands {
  readonly table: ErrorBandTable;
  /** Cross-fitted: bands made without the deployment, or the setup for `elsewhere`, that they are held against. */
  readonly coverage: Readonly<Record<BandClass, Readonly<Record<Latency, Coverage>>>>;
}

type Latency = keyof LatencyBands;

/**
 * The table of error bands from the errors of left-out forecasts. The bands `validated` and `observed` hold errors relative
 * to the scale of their setup, `elsewhere` as they are: the scale of a setup nobody measured is not known.
 */
export function fitErrorBands(errors: LeftOutErrors, origin: { source: string; date: string }): FittedBands {
  const residuals = {
    validated: residualsOf(errors.validated, deploymentKey),
    elsewhere: residualsOf(errors.elsewhere, ({ model, system, engine }) => `${model}|${system}|${engine}`),
    observed: residualsOf(errors.observed, deploymentKey),
  };
  const fitted = (of: BandClass, latency: Latency): FittedBand => {
    const own = residuals[of][latency];
    if (own.length < residualsMin)
      refuse({ at: `${of} ${latency}`, expected: `${residualsMin} left-out points at least`, found: own.length });
    const relative = of === "elsewhere" ? own : relativeResiduals(own, residuals.validated[latency]);
    const share = calibratedShare(relative, nominal);
    return { band: rounded(bandOf(relative, share)), coverage: crossFittedCoverage(relative, share) };
  };
  const fits = ofClasses((of) => ({ tpot: fitted(of, "tpot"), ttft: fitted(of, "ttft") }));
  const points = errors.validated.map(({ point }) => point);
  return {
    table: {
      nominal,
      ...origin,
      devicesMax: points.reduce((most, { devices }) => Math.max(most, devices), 0),
      classes: ofClasses((of) => ({ tpot: fits[of].tpot.band, ttft: fits[of].ttft.band })),
      setups: validatedSetups(errors.validated, {
        tpot: setupScales(residuals.validated.tpot),
        ttft: setupScales(residuals.validated.ttft),
      }),
    },
    coverage: ofClasses((of) => ({ tpot: fits[of].tpot.coverage, ttft: fits[of].ttft.coverage })),
  };
}

interface FittedBand {
  readonly band: Band;
  readonly coverage: Coverage;
}

const ofClasses = <T>(make: (of: BandClass) => T): Record<BandClass, T> => ({
  validated: make("validated"),
  elsewhere: make("elsewhere"),
  observed: make("observed"),
});

const idsOf = ({ model, device, engine }: Pick<ValidatedSetup, "model" | "device" | "engine">): string =>
  [model, device, engine].join("|");

type Residuals = Readonly<Record<Latency, readonly Residual[]>>;

/** TPOT of all points; TTFT below saturation, where it is not the load generator's queue. */
function residualsOf(errors: readonly PointError[], partOf: (point: ServingPoint) => string): Residuals {
  const of = (latency: Latency) =>
    errors.flatMap(({ point, saturated, [latency]: metric }): Residual[] => {
      const setup = setupOf(point);
      if (setup === null || metric === null || (latency === "ttft" && saturated)) return [];
      return [{ setup: idsOf(setup), part: partOf(point), log: Math.log(metric.measuredMs / metric.predictedMs) }];
    });
  return { tpot: of("tpot"), ttft: of("ttft") };
}

/** Setups by model, device and engine, in order of these names. */
function validatedSetups(
  errors: readonly PointError[],
  scales: Readonly<Record<Latency, SetupScales>>,
): ValidatedSetup[] {
  const setups = new Map<string, { ids: Pick<ValidatedSetup, "model" | "device" | "engine">; errors: PointError[] }>();
  for (const error of errors) {
    const ids = setupOf(error.point);
    if (ids === null) continue;
    const setup = setups.get(idsOf(ids));
    if (setup === undefined) setups.set(idsOf(ids), { ids, errors: [error] });
    else setup.errors.push(error);
  }
  return [...setups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { ids, errors: own }]) => ({
      ...ids,
      points: own.length,
      tpotMedianPercent: medianPercent(own.flatMap(({ tpot }) => tpot?.errorPercent ?? [])),
      ttftMedianPercent: medianPercent(
        own.flatMap(({ ttft, saturated }) => (saturated ? [] : (ttft?.errorPercent ?? []))),
      ),
      tpotScale: threeDigits(scales.tpot.get(key) ?? 1),
      ttftScale: threeDigits(scales.ttft.get(key) ?? 1),
      deployments: measuredDeployments(own.map(({ point }) => point)),
    }));
}

/** The deployments of the points of one setup, in order of version, format and layout. */
function measuredDeployments(points: readonly ServingPoint[]): MeasuredDeployment[] {
  const deployments = new Map<string, MeasuredDeployment>();
  for (const point of points) {
    const { names } = namesOf(point);
    if (names === null) continue;
    const { version, tp, dp, ep } = point;
    const key = [version, names.weights, tp, dp, ep].join("|");
    const before = deployments.get(key)?.points ?? 0;
    deployments.set(key, { version, weights: names.weights, tp, dp, ep, points: before + 1 });
  }
  return [...deployments].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, deployment]) => deployment);
}

function medianPercent(errors: readonly number[]): number | null {
  return errors.length === 0 ? null : threeDigits(quantile(Float64Array.from(errors, Math.abs), 0.5));
}

const threeDigits = (value: number): number => Number(value.toPrecision(3));
const rounded = ([low, high]: Band): Band => [threeDigits(low), threeDigits(high)];
