import { namesOf } from "../../calibrate/measured/names.ts";
import type { ServingPoint } from "../../calibrate/measured/serving-point.ts";
import { refuse } from "../../core/errors.ts";
import { quantile } from "../../core/quantile.ts";
import type { Band } from "../../forecast/bands/band.ts";
import {
  type BandClass,
  bandClasses,
  type ErrorBandTable,
  type MeasuredDeployment,
  type ValidatedSetup,
} from "../../forecast/bands/error-band-table.ts";
import {
  type Coverage,
  classBand,
  inScale,
  type Latency,
  nestedCoverage,
  residualsMin,
  residualsOf,
} from "./class-bands.ts";
import { setupOf } from "./point-bands.ts";
import { type SetupScales, setupScales } from "./residual-bands.ts";
import type { PointError } from "./validation.ts";

const nominal = 0.8;

/** Errors of forecasts of each class: what they come from is left out of the fit, or given but for one point. */
export type LeftOutErrors = Readonly<Record<BandClass, readonly PointError[]>>;

export interface FittedBands {
  readonly table: ErrorBandTable;
  /** By nested bands: each part of a class is held against the band that is made without it. */
  readonly coverage: Readonly<Record<BandClass, Readonly<Record<Latency, Coverage>>>>;
}

/** What of the table is not made of served points. */
export type TableOrigin = Pick<ErrorBandTable, "source" | "date" | "kernelsElsewhere">;

/**
 * The table of error bands from the errors of left-out forecasts. The bands `validated` and `observed` hold errors relative
 * to the scale of their setup, the others as they are: the scale of a setup nobody measured is not known.
 */
export function fitErrorBands(errors: LeftOutErrors, origin: TableOrigin): FittedBands {
  const plain = (of: BandClass, latency: Latency) => residualsOf(errors[of], of, latency);
  const basis = { tpot: plain("validated", "tpot"), ttft: plain("validated", "ttft") };
  const residuals = ofLatencies((latency) =>
    ofClasses((of) => {
      const own = inScale(of, plain(of, latency), basis[latency]);
      if (own.length < residualsMin)
        refuse({ at: `${of} ${latency}`, expected: `${residualsMin} left-out points at least`, found: own.length });
      return own;
    }),
  );
  const points = errors.validated.map(({ point }) => point);
  const most = (of: (point: ServingPoint) => number) => points.reduce((high, point) => Math.max(high, of(point)), 0);
  return {
    table: {
      nominal,
      ...origin,
      devicesMax: most(({ devices }) => devices),
      promptTokensMax: most(({ promptTokens }) => promptTokens),
      classes: ofClasses((of) => ofLatencies((latency) => rounded(classBand(of, residuals[latency], nominal)))),
      setups: validatedSetups(
        errors.validated,
        ofLatencies((latency) => setupScales(basis[latency])),
      ),
    },
    coverage: ofClasses((of) => ofLatencies((latency) => nestedCoverage(of, residuals[latency], nominal))),
  };
}

const ofClasses = <T>(make: (of: BandClass) => T): Record<BandClass, T> =>
  Object.fromEntries(bandClasses.map((of) => [of, make(of)])) as Record<BandClass, T>;

const ofLatencies = <T>(make: (latency: Latency) => T): Record<Latency, T> => ({
  tpot: make("tpot"),
  ttft: make("ttft"),
});

const idsOf = ({ model, device, engine }: Pick<ValidatedSetup, "model" | "device" | "engine">): string =>
  [model, device, engine].join("|");

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
