import type { SimConfig } from "../../sim/config.ts";
import { type ClosedLoad, closedLoadRequests, shortestShare } from "../engine/point-config.ts";
import type { MeasuredRun } from "../measured/measured-run.ts";

/** One replica of a deployment under a closed loop, its context long enough for the load. */
export function closedLoopOf(config: SimConfig, load: ClosedLoad): SimConfig {
  const requests = closedLoadRequests(load);
  return servedWith(
    { ...config, replicas: 1, workload: { kind: "closed", requests, concurrency: load.concurrency } },
    load.promptTokens + load.outputTokens,
  );
}

/** The closed loop of one replica that has the given mean lengths and mean number of requests under way in all. */
export function closedLoadOf(
  promptTokens: number,
  outputTokens: number,
  underWay: number,
  { replicas }: SimConfig,
): ClosedLoad {
  const longest = (meanTokens: number) => Math.max(1, Math.round((2 * meanTokens) / (1 + shortestShare)));
  return {
    promptTokens: longest(promptTokens),
    outputTokens: longest(outputTokens),
    concurrency: Math.max(1, Math.round(underWay / replicas)),
  };
}

/** The deployment under the requests of a measured run: as they arrived, or from a number of clients. */
export function replayOf(config: SimConfig, { requests }: MeasuredRun, clients: number | null): SimConfig {
  const longest = requests.promptTokens.reduce(
    (most, prompt, i) => Math.max(most, prompt + (requests.outputTokens[i] ?? 0)),
    0,
  );
  return servedWith(
    {
      ...config,
      workload: clients === null ? { kind: "open", requests } : { kind: "closed", requests, concurrency: clients },
    },
    longest,
  );
}

export function meanLength(tokens: Uint32Array): number {
  return tokens.reduce((sum, value) => sum + value, 0) / tokens.length;
}

/** What was served is served: the longest request is accepted, and no request is left out as warm-up. */
function servedWith(config: SimConfig, longestTokens: number): SimConfig {
  const contextTokensMax = Math.max(config.scheduler.contextTokensMax, longestTokens);
  return { ...config, scheduler: { ...config.scheduler, contextTokensMax }, warmupRequests: 0 };
}
