import { InfeasibleError, refuse } from "../../core/errors.ts";
import { quantile } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import { judgeLoad } from "../../sim/outcome/load/judge-load.ts";
import { measuredRequests, requestValues } from "../../sim/outcome/request-latencies.ts";
import { simulate } from "../../sim/simulate.ts";
import { type PointPrediction, predictPoint } from "../engine/predict-point.ts";
import type { ObservedLoad } from "./observed-loads.ts";

type Shown = Pick<PointPrediction, "tpotMs" | "ttftMs" | "saturated">;

/** What an observed load shows when it is simulated with an engine; TTFT as the load states it. Refuses one that is not served. */
export function forecastLoad({ served, closed, file, line, name }: ObservedLoad, engine: EngineProfile): Shown {
  try {
    const shown = served === closed ? predictPoint({ ...closed, engine }) : replayed({ ...served, engine });
    if (shown.tpotMs > 0) return shown;
  } catch (error) {
    if (!(error instanceof InfeasibleError)) throw error;
    refuse({ ...place(file, line), expected: "a load that fits the deployment", found: name, hint: error.message });
  }
  return refuse({
    ...place(file, line),
    expected: "a load of which requests complete on the scenario's deployment",
    found: name,
  });
}

const place = (file: string, line: number | null) => ({ file, ...(line === null ? {} : { line }) });

function replayed(config: ObservedLoad["served"]): Shown {
  const run = simulate(config);
  const { requests } = run;
  const completed = measuredRequests(requests, null);
  return {
    tpotMs: mean(requestValues(requests, "tpot", completed)) / 1e6,
    ttftMs: completed.length === 0 ? 0 : quantile(requestValues(requests, "ttft", completed), 0.5) / 1e6,
    saturated: judgeLoad(run).verdict === "overloaded",
  };
}
