import { formatDuration } from "../core/units.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { Warmup } from "../scenario/warmup-section.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** Left out unless the scenario says otherwise: the batch fills up, and caches do. */
const usualWarmup: Warmup = { share: 0.05 };

/** Requests at the start that statistics leave out; of a cold start none, since it is what is measured. */
export function warmupRequests(scenario: Pick<Scenario, "warmup" | "coldStart">, requests: number): number {
  const warmup = scenario.warmup ?? (scenario.coldStart === undefined ? usualWarmup : { requests: 0 });
  return "requests" in warmup ? Math.min(warmup.requests, requests) : Math.floor(warmup.share * requests);
}

/** How a run starts, where the scenario asks for a cold start. */
export function coldStartLedger({ coldStart }: Pick<Scenario, "coldStart">): LedgerEntry[] {
  if (coldStart === undefined) return [];
  const ready =
    coldStart.readyAfter === 0 ? "replicas ready" : `replicas ready ${formatDuration(coldStart.readyAfter)} later`;
  return [{ topic: "start", fidelity: "assumed", detail: `cold: caches empty at the first arrival, ${ready}` }];
}
