import { normalCdf, normalQuantile } from "../../core/normal.ts";
import { giveWay } from "../../files/cooperative.ts";
import type { FinishedRun } from "../../forecast/advice/try-changes.ts";
import type { Band } from "../../forecast/bands/band.ts";
import { withArrivalsOver } from "../../forecast/bands/band-ends.ts";
import { buildForecast } from "../../forecast/build-forecast.ts";
import { type RoughSlo, roughSlos } from "../../forecast/rough-slos.ts";
import type { Slo } from "../../scenario/slo-section.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";

/** With which probability an SLO holds on the real deployment. */
export interface SloChance {
  /** `ttft p(99)<1s`. */
  readonly slo: string;
  /** null where no band is known. Cut at the ends of what was run. */
  readonly chance: number | null;
  /** How much longer everything may take until it breaks, as a factor on all durations; null beyond what was run. */
  readonly slowestFactor: number | null;
}

/** Quantiles of the error at which the deployment is run. */
const levels = [0.05, 0.25, 0.5, 0.75, 0.95] as const;
const ends = { low: levels[0], high: levels.at(-1)! };

/**
 * The chance that each SLO of level error holds, from the error band of the forecast: measured times over forecast ones are taken
 * as lognormal with the band as its central interval. The deployment is run again with every duration as much longer or shorter as
 * quantiles of that say, so that queues follow; between them the logarithm of the distance to the limit is interpolated. On TTFT the
 * band of TTFT itself counts too, where that says less.
 */
export async function sloChances(finished: FinishedRun, signal?: AbortSignal): Promise<SloChance[]> {
  const { forecast, scenario } = finished;
  const slos = (scenario.slo?.thresholds ?? []).filter(({ level }) => level === "error");
  const own = roughSlos(finished);
  if (forecast.bands === null) return own.map(({ text }) => ({ slo: text, chance: null, slowestFactor: null }));
  const { nominal, factors } = forecast.bands;
  const error = lognormalOf(factors.tpot, nominal);
  const strains: (readonly number[])[] = [];
  const zs = levels.map(normalQuantile);
  for (const z of zs) {
    strains.push(
      (await slowedSlos(finished, slos, error.at(z), signal)).map(
        ({ estimate }) => estimate ?? Number.POSITIVE_INFINITY,
      ),
    );
    signal?.throwIfAborted();
  }
  return own.map(({ text, estimate }, i) => {
    const { chance, z } = chanceOf(
      zs,
      strains.map((of) => of[i]!),
    );
    const direct =
      slos[i]!.target.metric === "ttft" && estimate !== null
        ? lognormalOf(factors.ttft, nominal).below(1 / estimate)
        : 1;
    return {
      slo: text,
      chance: Math.min(chance, Math.max(direct, ends.low)),
      slowestFactor: z === null ? null : error.at(z),
    };
  });
}

/** A lognormal distribution whose central interval of a probability is a band. */
function lognormalOf([low, high]: Band, nominal: number) {
  const middle = Math.log(low * high) / 2;
  const sigma = Math.log(high / low) / (2 * normalQuantile((1 + nominal) / 2));
  return {
    at: (z: number): number => Math.exp(middle + z * sigma),
    below: (factor: number): number => normalCdf((Math.log(factor) - middle) / sigma),
  };
}

/** Where the distance to the limit crosses 1, going from fast to slow; `z` null beyond the ends. */
export function chanceOf(
  zs: readonly number[],
  strains: readonly number[],
): { readonly chance: number; readonly z: number | null } {
  const broken = strains.findIndex((strain) => strain > 1);
  if (broken === -1) return { chance: ends.high, z: null };
  if (broken === 0) return { chance: ends.low, z: null };
  const [before, after] = [Math.max(strains[broken - 1]!, 1e-9), strains[broken]!];
  const share = Number.isFinite(after) ? -Math.log(before) / (Math.log(after) - Math.log(before)) : 0;
  const z = zs[broken - 1]! + share * (zs[broken]! - zs[broken - 1]!);
  return { chance: normalCdf(z), z };
}

/** The SLOs of the deployment where every duration takes `factor` times as long; an overloaded one breaks those on latencies. */
async function slowedSlos(
  { scenario, resolved }: FinishedRun,
  slos: readonly Slo[],
  factor: number,
  signal: AbortSignal | undefined,
): Promise<RoughSlo[]> {
  const config = withArrivalsOver(resolved.config, factor);
  const run = await simulateCooperatively(config, {
    giveWay,
    ...(signal === undefined ? {} : { shouldStop: () => signal.aborted }),
  });
  // Its clock runs faster by the factor: limits on times are as much tighter there, rates are as much higher.
  const thresholds = slos.map((slo) => onClock(slo, factor));
  const perRequest = scenario.slo?.perRequest ?? null;
  const limits =
    perRequest === null
      ? null
      : Object.fromEntries(
          Object.entries(perRequest).map(([name, ns]) => [name, (ns ?? Number.POSITIVE_INFINITY) / factor]),
        );
  const slowed = { ...scenario, slo: { thresholds, perRequest: limits } };
  const forecast = buildForecast(slowed, { ...resolved, config }, run);
  const rough = roughSlos({ scenario: slowed, resolved: { ...resolved, config }, run, forecast });
  return forecast.load.verdict === "overloaded"
    ? rough.map((one) => ({ ...one, estimate: Number.POSITIVE_INFINITY }))
    : rough;
}

/** Metrics without a unit in expressions that go with a power of the clock. */
const withClock: Readonly<Record<string, 1 | -1>> = {
  throughput: 1,
  throughputPerDevice: 1,
  costUsdPerMtok: -1,
  joulesPerOutputToken: -1,
};

function onClock(slo: Slo, factor: number): Slo {
  const { expression, target } = slo;
  const { unit } = expression;
  const power = /^(?:ns|us|ms|s|min|h)$/.test(unit)
    ? -1
    : /^\/(?:s|min|h)$/.test(unit)
      ? 1
      : (withClock[target.metric] ?? 0);
  const scale = power === 0 ? 1 : power > 0 ? factor : 1 / factor;
  return { ...slo, expression: { ...expression, number: expression.number * scale, limit: expression.limit * scale } };
}
