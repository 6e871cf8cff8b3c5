import { solveCholesky } from "../../core/cholesky.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { PointSample } from "./serving-samples.ts";

/** How long a tokenised request takes to reach the scheduler, by its prompt, and its first token to come back. */
export type RequestHandling = Pick<EngineProfile, "requestOverheadNs" | "promptTokenDelayNs">;

/** Time that a request of `promptTokens` spends on its handling, ns. */
export function handledNs(handling: RequestHandling, promptTokens: number): number {
  return handling.requestOverheadNs + handling.promptTokenDelayNs * promptTokens;
}

/** A measured TTFT beside the simulated one without the handling of the request. */
export interface HandlingSample {
  readonly of: PointSample;
  /** Mean length of the prompts. */
  readonly promptTokens: number;
  readonly measuredNs: number;
  readonly unhandledNs: number;
  /** The closed form of the simulated TTFT under the figures it was simulated with. */
  readonly closedFormNs: number;
}

/** Handling by engine; `common` serves engines that no sample names. */
export interface FittedHandling {
  readonly engines: ReadonlyMap<string, RequestHandling>;
  readonly common: RequestHandling;
}

/**
 * What is believed before any TTFT is seen: the value of an engine nobody measured, the standard deviations of its
 * logarithm, and of one engine's about it. A request crosses a few processes, 10 to 100 ms as engines differ; a prompt
 * token is text that is parsed, tokenised and passed on, some microseconds in any engine. Tokenising alone is an engine's
 * `promptTokenOverheadNs`, which TTFTs do not tell from the rest. Deviations and scatter were chosen by the median error on
 * models left out; half or twice of each changes it by less than 1 %.
 */
const priors = {
  requestOverheadNs: { value: 40e6, sigma: 1, engineSigma: 1 },
  promptTokenDelayNs: { value: 5000, sigma: 0.5, engineSigma: 0.1 },
} as const;
const figures = ["requestOverheadNs", "promptTokenDelayNs"] as const;

/** Scale of ln(forecast / measured) that handling does not explain. */
const noise = 0.15;
const iterations = 40;

/**
 * The most likely handling of requests by engine: robust Gauss-Newton on ln TTFT. Each figure is a common value times
 * one per engine, so that an engine measured on one model does not take all of that model's error for its own.
 */
export function fitRequestHandling(samples: readonly HandlingSample[]): FittedHandling {
  const engines = [...new Set(samples.map(({ of }) => of.engine))].sort();
  const columns = 1 + engines.length;
  const n = figures.length * columns;
  const logs = new Float64Array(n);
  const means = new Float64Array(n);
  const sigmas = new Float64Array(n);
  for (const [f, figure] of figures.entries()) {
    const { value, sigma, engineSigma } = priors[figure];
    means[f * columns] = Math.log(value);
    sigmas.fill(engineSigma, f * columns, (f + 1) * columns);
    sigmas[f * columns] = sigma;
  }
  logs.set(means);
  const figureOf = (f: number, column: number) =>
    Math.exp(logs[f * columns]! + (column === 0 ? 0 : logs[f * columns + column]!));
  for (let iteration = 0; iteration < iterations; iteration++) {
    const a = new Float64Array(n * n);
    const b = new Float64Array(n);
    for (const { of, promptTokens, measuredNs, unhandledNs } of samples) {
      const column = 1 + engines.indexOf(of.engine);
      const parts = [figureOf(0, column), promptTokens * figureOf(1, column)];
      const forecastNs = unhandledNs + parts[0]! + parts[1]!;
      const residual = Math.log(forecastNs / measuredNs);
      const scale = of.weight / (noise * noise + residual * residual);
      const applying = [0, column, columns, columns + column];
      for (const i of applying) {
        const slope = parts[i < columns ? 0 : 1]! / forecastNs;
        b[i]! -= scale * slope * residual;
        for (const j of applying)
          if (j <= i) a[i * n + j]! += (scale * slope * parts[j < columns ? 0 : 1]!) / forecastNs;
      }
    }
    for (let i = 0; i < n; i++) {
      const precision = 1 / (sigmas[i]! * sigmas[i]!);
      a[i * n + i]! += precision;
      b[i]! += (means[i]! - logs[i]!) * precision;
    }
    solveCholesky(a, b);
    for (let i = 0; i < n; i++) logs[i]! += Math.max(-0.5, Math.min(0.5, b[i]!));
  }
  const handling = (column: number) => ({
    requestOverheadNs: figureOf(0, column),
    promptTokenDelayNs: figureOf(1, column),
  });
  return { engines: new Map(engines.map((engine, i) => [engine, handling(i + 1)])), common: handling(0) };
}
