import { mean, sum } from "../core/statistics.ts";
import type { SimConfig } from "../sim/config.ts";
import type { MappingCandidate } from "./mapping-candidates.ts";
import type { SimulatedMapping } from "./mapping-comparison.ts";
import { type PlacedRun, runFigures, tokensOf, valuesOf } from "./placed-runs.ts";
import { stepTimes } from "./step-parts.ts";

/** What the runs of a mapping came to, against those of the mapping in use. `startNotes`: what its engine says of it alone. */
export function simulatedMapping(
  { name, mapping, set }: MappingCandidate,
  runs: readonly PlacedRun[],
  currentRuns: readonly PlacedRun[],
  config: SimConfig,
  startNotes: readonly string[],
): SimulatedMapping {
  return {
    name,
    mapping,
    isCurrent: runs === currentRuns,
    set,
    startNotes,
    timeMs: valuesOf(runs, ({ latency }) => latency.e2e.mean),
    ...runFigures(runs, currentRuns, config),
    imbalance: mapping.ep === 1 ? null : mean(valuesOf(runs, ({ experts }) => experts?.imbalance ?? 1)),
    exchange: exchangeOf(runs),
    stepNs: stepTimes(runs),
  };
}

function exchangeOf(runs: readonly PlacedRun[]): SimulatedMapping["exchange"] {
  const sent = runs.map(({ run }) => run.exchange?.bytes ?? null);
  if (sent.some((bytes) => bytes === null)) return null;
  const bytes = (way: "near" | "far") => sum(sent.map((of) => of!.dispatch[way] + of!.combine[way])) / tokensOf(runs);
  return { near: bytes("near"), far: bytes("far") };
}
