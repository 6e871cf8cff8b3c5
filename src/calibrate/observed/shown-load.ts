import { InfeasibleError, refuse } from "../../core/errors.ts";
import { quantile } from "../../core/quantile.ts";
import { mean, sum } from "../../core/statistics.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { SimConfig } from "../../sim/config.ts";
import { judgeLoad } from "../../sim/outcome/load/judge-load.ts";
import { countedRequests, type RequestMetric, requestValues } from "../../sim/outcome/request-latencies.ts";
import { simulate } from "../../sim/simulate.ts";
import { type PointPrediction, predictPoint } from "../engine/predict-point.ts";
import { requestWait } from "../engine/request-wait.ts";
import { withFetches } from "./fetch-speed.ts";
import type { LatencyStatistic, LoadReading, ObservedLoad } from "./observed-loads.ts";

/** What of a deployment is adjusted to observed loads. */
export interface Adjusted {
  readonly engine: EngineProfile;
  /** Time of a transfer of experts over what the scenario's hardware says. */
  readonly fetchFactor: number;
}

/** What an observed load shows when it is simulated. */
export type ShownLoad = Pick<PointPrediction, "tpotMs" | "ttftMs" | "wait" | "fetchShare">;

/** Simulates an observed load on an adjusted deployment. Refuses one that is not served. */
export function showLoad(load: ObservedLoad, { engine, fetchFactor }: Adjusted): ShownLoad {
  const { served, reading, file, line, name } = load;
  const place = { file, ...(line === null ? {} : { line }) };
  try {
    const shown = read(withFetches({ ...served, engine }, fetchFactor), reading);
    if (shown.tpotMs > 0) return shown;
  } catch (error) {
    if (!(error instanceof InfeasibleError)) throw error;
    refuse({ ...place, expected: "a load that fits the deployment", found: name, hint: error.message });
  }
  return refuse({
    ...place,
    expected: "a load of which requests complete on the scenario's deployment",
    found: name,
  });
}

function read(config: SimConfig, reading: LoadReading): ShownLoad {
  if (reading.kind === "point") return predictPoint(config, reading.requestsPerClient);
  const run = simulate(config);
  const counted = countedRequests(run.requests, null);
  const typical = (metric: RequestMetric, statistic: LatencyStatistic) => {
    const values = requestValues(run.requests, metric, counted);
    if (values.length === 0) return 0;
    return (statistic === "mean" ? mean(values) : quantile(values, 0.5)) / 1e6;
  };
  const overloaded = judgeLoad(run).verdict === "overloaded";
  return {
    tpotMs: typical("tpot", reading.tpot),
    ttftMs: typical("ttft", reading.ttft),
    wait: overloaded ? "place" : requestWait(run, run.requests.warmup, config),
    fetchShare: run.time.expertFetch / sum(Object.values(run.time)),
  };
}
