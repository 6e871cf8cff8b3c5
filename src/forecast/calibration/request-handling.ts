import type { EngineProfile } from "../../hardware/engine-profile.ts";
import { engineOfVersion } from "../../hardware/resolve.ts";
import { infeasibleReason, pointConfig } from "../validation/point-config.ts";
import { predictPoint } from "../validation/predict-point.ts";
import type { PointSample } from "./serving-samples.ts";

/** What happens to a request before the scheduler sees it. */
export type RequestHandling = Pick<EngineProfile, "requestOverheadNs" | "promptTokenOverheadNs">;

/** Points that are simulated for every candidate, spread over those of the engine. */
const pointsMax = 80;
/** Candidates for the time per prompt token, ns, and steps of the time per request, ns. */
const tokenCandidatesNs = [0, 5000, 10_000, 15_000, 20_000, 30_000, 40_000, 50_000];
const requestStepNs = 2e6;
const requestSteps = 200;

/**
 * The handling of requests that brings simulated TTFTs closest to the measured ones: least mean |ln ratio| over points
 * below saturation. The time per prompt token is one server that bursts queue for, so every candidate is simulated; the
 * time per request only adds.
 */
export function fitRequestHandling(engine: EngineProfile, samples: readonly PointSample[]): RequestHandling {
  const stride = Math.max(1, samples.length / pointsMax);
  const some = Array.from({ length: Math.floor(samples.length / stride) }, (_, i) => samples[Math.floor(i * stride)]!);
  let best: RequestHandling = engine;
  let least = Number.POSITIVE_INFINITY;
  for (const promptTokenOverheadNs of tokenCandidatesNs) {
    const pairs = simulatedPairs({ ...engine, promptTokenOverheadNs, requestOverheadNs: 0 }, some);
    for (let step = 0; step <= requestSteps && pairs.length > 0; step++) {
      const requestOverheadNs = step * requestStepNs;
      let loss = 0;
      for (const { simulatedNs, measuredNs, weight } of pairs)
        loss += weight * Math.abs(Math.log((simulatedNs + requestOverheadNs) / measuredNs));
      if (loss >= least) continue;
      least = loss;
      best = { promptTokenOverheadNs, requestOverheadNs };
    }
  }
  return { promptTokenOverheadNs: best.promptTokenOverheadNs, requestOverheadNs: best.requestOverheadNs };
}

function simulatedPairs(engine: EngineProfile, samples: readonly PointSample[]) {
  return samples.flatMap(({ point, weight }) => {
    const { config } = pointConfig(point, engineOfVersion(engine, point.version));
    if (config === null || point.ttftMs === null) return [];
    try {
      const { ttftMs, saturated } = predictPoint(config);
      return saturated ? [] : [{ simulatedNs: ttftMs * 1e6, measuredNs: point.ttftMs * 1e6, weight }];
    } catch (error) {
      infeasibleReason(error);
      return [];
    }
  });
}
