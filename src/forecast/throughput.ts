import type { Figures } from "../metrics/figures.ts";
import { type RunResult, requestStatus } from "../sim/result.ts";

/**
 * Rates over the whole span of the run, from the first arrival to the last event, as serving benchmarks report them:
 * the ramp at the start and the drain at the end are inside.
 */
export function throughputOf(run: RunResult, devices: number): Omit<Figures["throughput"], "goodput"> {
  const { requests } = run;
  const durationS = run.endNs / 1e9;
  let completed = 0;
  let promptTokens = 0;
  let firstTokens = 0;
  for (let request = 0; request < requests.count; request += 1) {
    if (!Number.isNaN(requests.firstTokenNs[request]!)) firstTokens += 1;
    if (requests.status[request] !== requestStatus.completed) continue;
    completed += 1;
    promptTokens += requests.promptTokens[request]!;
  }
  const perSecond = (amount: number) => (durationS > 0 ? amount / durationS : 0);
  return {
    durationS,
    requestsPerSecond: perSecond(completed),
    outputTokensPerSecond: perSecond(run.outputTokens),
    outputTokensPerSecondPerDevice: perSecond(run.outputTokens) / devices,
    totalTokensPerSecond: perSecond(promptTokens + run.outputTokens),
    // The step that ends a prompt yields the first output token, which is not an input of that step.
    meanBatchTokens:
      run.steps > 0 ? (run.promptTokensComputed + Math.max(0, run.outputTokens - firstTokens)) / run.steps : 0,
  };
}
