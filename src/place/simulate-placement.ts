import { giveWay } from "../files/cooperative.ts";
import { buildForecast } from "../forecast/build-forecast.ts";
import type { FileReader } from "../resolve/file-reader.ts";
import type { ResolvedRouting } from "../resolve/resolve-routing.ts";
import { resolveScenario } from "../resolve/resolve-scenario.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { SimConfig } from "../sim/config.ts";
import { simulateCooperatively } from "../sim/simulate.ts";
import type { PlacedRun } from "./placed-runs.ts";

/**
 * Runs of a scenario with a placement and a rule for its copies, one for each repeat, replaying `replayed`, undefined: its
 * own routing. Run i of every placement has the same requests and random draws. An aborted signal ends with fewer of them, one at
 * least.
 */
export async function simulatePlacement(
  scenario: Scenario,
  maps: Pick<SimConfig, "placement" | "dispatch">,
  replayed: ResolvedRouting | undefined,
  repeats: number,
  deps: FileReader & { readonly signal?: AbortSignal },
  advance: () => void,
): Promise<PlacedRun[]> {
  const runs: PlacedRun[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const varied = scenario.vary([`seed=${scenario.seed + repeat}`]);
    const resolved = await resolveScenario(varied, deps, null, deps.signal, replayed);
    const placed = { ...resolved, config: { ...resolved.config, ...maps } };
    const run = await simulateCooperatively(placed.config, {
      giveWay,
      ...(deps.signal === undefined ? {} : { shouldStop: () => deps.signal!.aborted }),
    });
    runs.push({ run, forecast: buildForecast(varied, placed, run) });
    advance();
    if (deps.signal?.aborted === true) break;
  }
  return runs;
}
