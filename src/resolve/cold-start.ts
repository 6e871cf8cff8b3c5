import { formatDuration } from "../core/units.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { Warmup } from "../scenario/warmup-section.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** Warm-up where the scenario states none: the batch and the caches fill up. */
const usualWarmup: Warmup = { share: 0.05 };

/** Requests at the start that statistics leave out. A cold start leaves out none: the start is what is asked for. */
export function warmupRequests(scenario: Pick<Scenario, "warmup" | "coldStart">, requests: number): number {
  const warmup = scenario.warmup ?? (scenario.coldStart === undefined ? usualWarmup : { requests: 0 });
  return "requests" in warmup ? Math.min(warmup.requests, requests) : Math.floor(warmup.share * requests);
}

/** The ledger's entry on a cold start; empty where the scenario asks for none. */
export function coldStartLedger({ coldStart }: Pick<Scenario, "coldStart">): LedgerEntry[] {
  if (coldStart === undefined) return [];
  const ready =
    coldStart.readyAfter === 0 ? "replicas ready" : `replicas ready ${formatDuration(coldStart.readyAfter)} later`;
  return [{ topic: "start", fidelity: "assumed", detail: `cold: caches empty at the first arrival, ${ready}` }];
}
