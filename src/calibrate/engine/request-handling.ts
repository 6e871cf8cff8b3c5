import type { EngineProfile } from "../../engine/engine-profile.ts";
import { engineOfVersion } from "../../engine/resolve-engine.ts";
import { infeasibleReason, pointConfig } from "./point-config.ts";
import { predictPoint } from "./predict-point.ts";
import type { PointSample } from "./serving-samples.ts";

/** How long a tokenised request takes to reach the scheduler. */
export type RequestHandling = Pick<EngineProfile, "requestOverheadNs" | "promptTokenDelayNs">;

/** Points that are simulated for every candidate, spread over those of the engine. */
const pointsMax = 80;
/** Candidates for the time per prompt token, ns, and steps of the time per request, ns. */
const tokenCandidatesNs = [0, 5000, 10_000, 15_000, 20_000, 30_000, 40_000, 50_000];
const requestStepNs = 2e6;
const requestSteps = 200;

/**
 * The handling of requests that brings simulated TTFTs closest to the measured ones: least mean |ln ratio| over points
 * below saturation. The time per prompt token moves requests apart, so every candidate is simulated; the time per request
 * only adds. Tokenising is not fitted: TTFTs do not tell it from these, and it caps how many prompts are taken in.
 */
export function fitRequestHandling(engine: EngineProfile, samples: readonly PointSample[]): RequestHandling {
  const stride = Math.max(1, samples.length / pointsMax);
  const some = Array.from({ length: Math.floor(samples.length / stride) }, (_, i) => samples[Math.floor(i * stride)]!);
  let best: RequestHandling = engine;
  let least = Number.POSITIVE_INFINITY;
  for (const promptTokenDelayNs of tokenCandidatesNs) {
    const pairs = simulatedPairs({ ...engine, promptTokenDelayNs, requestOverheadNs: 0 }, some);
    for (let step = 0; step <= requestSteps && pairs.length > 0; step++) {
      const requestOverheadNs = step * requestStepNs;
      let loss = 0;
      for (const { simulatedNs, measuredNs, weight } of pairs)
        loss += weight * Math.abs(Math.log((simulatedNs + requestOverheadNs) / measuredNs));
      if (loss >= least) continue;
      least = loss;
      best = { promptTokenDelayNs, requestOverheadNs };
    }
  }
  return { promptTokenDelayNs: best.promptTokenDelayNs, requestOverheadNs: best.requestOverheadNs };
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
