import { inseparable } from "../measured/repeats.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { closedLoop } from "./closed-loop.ts";
import type { ServingSample } from "./fit-serving.ts";
import { pointConfig } from "./point-config.ts";

/** Above this TTFT a request waits for others, whatever the concurrency: its TPOT is that of a smaller batch. */
const saturatedTtftMs = 5000;

/** A point that a fit can use, with the point it came from. */
export interface PointSample extends ServingSample {
  readonly point: ServingPoint;
}

/** Points of one deployment under one load, over concurrency. */
export function seriesKey(point: ServingPoint): string {
  const { promptTokens, outputTokens, measured } = point;
  return `${deploymentKey(point)}|${promptTokens}/${outputTokens}|${measured ?? ""}`;
}

/** Points of one deployment: engine version, precision and layout included. */
export function deploymentKey(point: ServingPoint): string {
  const { model, system, engine, version, precision, tp, dp, etp, ep } = point;
  return [model, system, engine, version, precision, tp, dp, etp, ep].join("|");
}

/**
 * Samples of the points that state a TPOT below saturation and whose names are known. A long series weighs less per point,
 * and a configuration that is listed more than once counts once.
 */
export function servingSamples(points: readonly ServingPoint[]): PointSample[] {
  const usable = points.filter(
    ({ tpotMs, ttftMs }) => tpotMs !== null && (ttftMs === null || ttftMs <= saturatedTtftMs),
  );
  const length = new Map<string, number>();
  for (const point of usable) length.set(seriesKey(point), (length.get(seriesKey(point)) ?? 0) + 1);
  return inseparable(usable).flatMap((rows) =>
    rows.flatMap((point): PointSample[] => {
      const { config } = pointConfig(point);
      if (config === null || point.tpotMs === null) return [];
      const weight = 1 / (Math.sqrt(length.get(seriesKey(point)) ?? 1) * rows.length);
      return [
        {
          point,
          loop: closedLoop(config),
          engine: config.engine.id,
          version: point.version,
          tpotNs: point.tpotMs * 1e6,
          weight,
        },
      ];
    }),
  );
}
