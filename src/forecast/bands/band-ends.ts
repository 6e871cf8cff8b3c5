import { goodputOf, type RequestLimits } from "../../metrics/goodput.ts";
import type { ResolvedScenario } from "../../resolve/resolved.ts";
import type { PoolConfig, SimConfig } from "../../sim/config.ts";
import { judgeLoad } from "../../sim/outcome/load/judge-load.ts";
import { simulateCooperatively } from "../../sim/simulate.ts";
import type { BandEnd, Forecast, ForecastBands, Range } from "../forecast.ts";

/** How a run is watched over. */
interface Watched {
  readonly giveWay: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * A forecast with the deployment run again at both ends of the band of TPOT, by the same draws: every duration of it takes
 * `factor` times as long, arrivals come when they did. Throughput, cost and goodput get the range of the two runs and the
 * forecast. A closed loop needs no runs for its rate and its cost, which go with the inverse of TPOT and with TPOT.
 */
export async function withBandEnds(
  forecast: Forecast,
  resolved: ResolvedScenario,
  limits: RequestLimits | null,
  watched: Watched,
): Promise<Forecast> {
  const { bands } = forecast;
  if (bands === null) return forecast;
  const [low, high] = bands.factors.tpot;
  const fast = await endOf(low, forecast, resolved.config, limits, watched);
  const slow = fast === null ? null : await endOf(high, forecast, resolved.config, limits, watched);
  if (fast === null || slow === null) return forecast;
  return { ...forecast, bands: { ...bands, ends: { fast, slow }, metrics: metricsOf(bands, forecast, fast, slow) } };
}

function metricsOf(bands: ForecastBands, forecast: Forecast, fast: BandEnd, slow: BandEnd): ForecastBands["metrics"] {
  const { throughput, cost, load } = forecast;
  const range = (...values: readonly (number | null)[]): Range | null => {
    const known = values.flatMap((value) => value ?? []);
    return known.length < values.length ? null : { low: Math.min(...known), high: Math.max(...known) };
  };
  const over = <K extends keyof BandEnd & ("outputTokensPerSecond" | "usdPerMillionOutputTokens" | "goodput")>(
    key: K,
    own: number | null,
  ) => range(own, fast[key], slow[key]);
  const { outputTokensPerSecond, usdPerMillionOutputTokens } = bands.metrics;
  return {
    ...bands.metrics,
    outputTokensPerSecond: outputTokensPerSecond ?? over("outputTokensPerSecond", throughput.outputTokensPerSecond),
    usdPerMillionOutputTokens:
      usdPerMillionOutputTokens ?? over("usdPerMillionOutputTokens", cost?.usdPerMillionOutputTokens ?? null),
    goodput: over("goodput", load.verdict === "overloaded" && limits(fast, slow) ? 0 : throughput.goodput),
  };
}

/** Whether there are limits per request: either end then has a goodput. */
const limits = (fast: BandEnd, slow: BandEnd): boolean => fast.goodput !== null && slow.goodput !== null;

/** The run with every duration times `factor`; null where it was stopped. */
async function endOf(
  factor: number,
  { cost, throughput, load: { loop } }: Forecast,
  config: SimConfig,
  requestLimits: RequestLimits | null,
  { giveWay, signal }: Watched,
): Promise<BandEnd | null> {
  const run = await simulateCooperatively(withArrivalsOver(config, factor), {
    giveWay,
    ...(signal === undefined ? {} : { shouldStop: () => signal.aborted }),
  });
  if (run.interrupted) return null;
  const load = judgeLoad(run);
  const overloaded = load.verdict === "overloaded";
  const goodput = goodputOf(run, limitsOver(requestLimits, factor), null);
  const seconds = (run.endNs * factor) / 1e9;
  const outputTokensPerSecond = seconds > 0 ? run.outputTokens / seconds : 0;
  const { sustainedRequestsPerSecond: sustained } = load;
  // The bill of an hour is the same, whatever is served in it.
  const bill = cost === null ? null : cost.usdPerMillionOutputTokens * throughput.outputTokensPerSecond;
  return {
    factor,
    verdict: loop === "closed" ? "stable" : load.verdict,
    outputTokensPerSecond,
    usdPerMillionOutputTokens: bill === null || !(outputTokensPerSecond > 0) ? null : bill / outputTokensPerSecond,
    goodput: goodput === null ? null : overloaded || goodput.samples === 0 ? 0 : goodput.good / goodput.samples,
    sustainedRequestsPerSecond: overloaded && sustained !== null ? sustained / factor : null,
  };
}

/**
 * A deployment that takes `factor` times as long for everything does at `factor` times a moment what the deployment
 * itself does at that moment, if requests come `factor` times as early: one clock runs faster, and nothing else
 * differs. Moments are whole nanoseconds.
 */
export function withArrivalsOver(config: SimConfig, factor: number): SimConfig {
  const { requests } = config.workload;
  const early = (times: Float64Array) => times.map((ns) => Math.round(ns / factor));
  const { turns } = requests;
  const ready = <T extends PoolConfig>(pool: T): T => ({ ...pool, readyNs: Math.round(pool.readyNs / factor) });
  const { otherPools, modelCache } = config;
  return {
    ...ready(config),
    ...(otherPools === undefined ? {} : { otherPools: otherPools.map(ready) }),
    ...(modelCache === undefined
      ? {}
      : { modelCache: { ...modelCache, loadOverheadNs: Math.round(modelCache.loadOverheadNs / factor) } }),
    workload: {
      ...config.workload,
      requests: {
        ...requests,
        arrivalNs: early(requests.arrivalNs),
        ...(turns === undefined ? {} : { turns: { ...turns, waitNs: early(turns.waitNs) } }),
      },
    },
  };
}

const limitsOver = (limits: RequestLimits | null, factor: number): RequestLimits | null =>
  limits === null
    ? null
    : Object.fromEntries(
        Object.entries(limits).map(([latency, ns]) => [latency, (ns ?? Number.POSITIVE_INFINITY) / factor]),
      );
