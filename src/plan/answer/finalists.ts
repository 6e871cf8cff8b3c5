import { runScenario } from "../../forecast/forecast-scenario.ts";
import type { Surroundings } from "../../resolve/file-reader.ts";
import type { JobBase } from "../job/job.ts";
import { scenarioOf } from "../job/job-policies.ts";
import { type SloChance, sloChances } from "./chances.ts";

/** What is known of a deployment that a plan names first. */
export interface Finalist {
  readonly id: string;
  readonly chances: readonly SloChance[];
  /** Time shares of its steps: the largest is what more of would help. */
  readonly bottleneck: { readonly component: string; readonly share: number };
  /** What no served measurement was of, in words; null where something near was measured. */
  readonly unvalidated: string | null;
}

/** Runs a deployment over all requests and says with which chance its SLOs hold. */
export async function finalistOf(
  id: string,
  base: JobBase,
  settings: readonly string[],
  reader: Surroundings,
  signal?: AbortSignal,
): Promise<Finalist> {
  const scenario = await scenarioOf(base, settings);
  const finished = await runScenario(scenario, { ...reader, ...(signal === undefined ? {} : { signal }) });
  signal?.throwIfAborted();
  const { component, share } = finished.forecast.bottleneck;
  return {
    id,
    chances: await sloChances(finished, signal),
    bottleneck: { component, share },
    unvalidated: finished.forecast.bands?.unvalidated ?? null,
  };
}
