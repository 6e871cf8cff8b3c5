import type { EngineProfile } from "../../engine/engine-profile.ts";
import { closedLoopTtftNs } from "./closed-loop.ts";
import { infeasibleReason, pointConfig, shortestShare } from "./point-config.ts";
import { predictPoint, requestsPerClient } from "./predict-point.ts";
import { type HandlingSample, handledNs } from "./request-handling.ts";
import { logsOf } from "./serving-figures.ts";
import type { PointSample } from "./serving-samples.ts";

/** Points of one engine that are simulated, spread over all it has. */
const pointsMax = 150;

/**
 * Simulates points below saturation; `engineOf` gives the engine of a point, its version applied. Its handling is taken
 * off what it comes to and not left out of the simulation: it decides at which moment of a step requests arrive.
 */
export function handlingSamples(
  samples: readonly PointSample[],
  engineOf: (sample: PointSample) => EngineProfile,
): HandlingSample[] {
  const timed = samples.filter(({ point }) => point.ttftMs !== null);
  const engines = [...new Set(timed.map(({ engine }) => engine))].sort();
  const some = engines.flatMap((engine) => spread(timed.filter((sample) => sample.engine === engine)));
  return some.flatMap((of): HandlingSample[] => {
    const { point, loop } = of;
    const { config } = pointConfig(point, engineOf(of));
    if (config === null || point.ttftMs === null) return [];
    const promptTokens = (point.promptTokens * (1 + shortestShare)) / 2;
    try {
      const { ttftMs, saturated } = predictPoint(config, requestsPerClient(point));
      if (saturated) return [];
      return [
        {
          of,
          promptTokens,
          measuredNs: point.ttftMs * 1e6,
          unhandledNs: ttftMs * 1e6 - handledNs(config.engine, promptTokens),
          closedFormNs: closedLoopTtftNs(loop, logsOf(config.engine).map(Math.exp)),
        },
      ];
    } catch (error) {
      infeasibleReason(error);
      return [];
    }
  });
}

function spread(samples: readonly PointSample[]): PointSample[] {
  const stride = Math.max(1, samples.length / pointsMax);
  return Array.from({ length: Math.floor(samples.length / stride) }, (_, i) => samples[Math.floor(i * stride)]!);
}

/**
 * Samples as an engine of other figures (logarithms) would have them: the simulated TTFT changes as its closed form does.
 * Engines can so be fitted without a part of the points, and the points are simulated once.
 */
export function carriedSamples(
  samples: readonly HandlingSample[],
  figuresOf: (sample: PointSample) => Float64Array,
): HandlingSample[] {
  return samples.map((sample) => {
    const closedFormNs = closedLoopTtftNs(sample.of.loop, figuresOf(sample.of).map(Math.exp));
    return { ...sample, closedFormNs, unhandledNs: (sample.unhandledNs * closedFormNs) / sample.closedFormNs };
  });
}
