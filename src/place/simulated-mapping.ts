import { gainOf } from "../core/paired-gain.ts";
import { mean, sum } from "../core/statistics.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { SimConfig } from "../sim/config.ts";
import { type TimeComponent, timeComponents } from "../sim/result.ts";
import type { MappingCandidate } from "./mapping-candidates.ts";
import { type SimulatedMapping, type StepPart, stepParts } from "./mapping-comparison.ts";
import { type PlacedRun, riseOf } from "./simulated-map.ts";

const partOf: Readonly<Partial<Record<TimeComponent, StepPart>>> = {
  experts: "experts",
  sharedExperts: "experts",
  expertFetch: "experts",
  expertWait: "wait",
  dispatch: "exchange",
  combine: "exchange",
  allReduce: "allReduce",
};

/** What the runs of a mapping came to, against those of the mapping in use. `startNotes`: what its engine says of it alone. */
export function simulatedMapping(
  { name, mapping, set }: MappingCandidate,
  runs: readonly PlacedRun[],
  currentRuns: readonly PlacedRun[],
  { scheduler }: Pick<SimConfig, "scheduler">,
  startNotes: readonly string[],
): SimulatedMapping {
  const values = (of: (forecast: Forecast) => number | null, from = runs) =>
    from.map(({ forecast }) => of(forecast) ?? Number.NaN);
  const gain = (of: (forecast: Forecast) => number | null) => gainOf(values(of, currentRuns), values(of));
  const perSecond = ({ throughput }: Forecast) => throughput.outputTokensPerSecond;
  const { run } = runs[0]!;
  return {
    name,
    mapping,
    isCurrent: runs === currentRuns,
    set,
    startNotes,
    timeMs: values(({ latency }) => latency.e2e.mean),
    ttftMs: mean(values(({ latency }) => latency.ttft.mean)),
    tpotMs: mean(values(({ latency }) => latency.tpot.mean)),
    tokensPerSecond: mean(values(perSecond)),
    imbalance: mapping.ep === 1 ? null : mean(values(({ experts }) => experts?.imbalance ?? 1)),
    kvTokens: run.kv.blocks * scheduler.blockTokens * mapping.dp,
    exchange: exchangeOf(runs),
    stepNs: stepTimes(runs),
    gain:
      runs === currentRuns
        ? null
        : {
            time: gain(({ latency }) => latency.e2e.mean),
            ttft: gain(({ latency }) => latency.ttft.mean),
            tpot: gain(({ latency }) => latency.tpot.mean),
            throughput: riseOf(gain(perSecond)),
          },
  };
}

const tokensOf = (runs: readonly PlacedRun[]): number =>
  Math.max(1, sum(runs.map(({ run }) => run.promptTokensComputed + run.outputTokens)));

function exchangeOf(runs: readonly PlacedRun[]): SimulatedMapping["exchange"] {
  const sent = runs.map(({ run }) => run.exchange?.bytes ?? null);
  if (sent.some((bytes) => bytes === null)) return null;
  const bytes = (way: "near" | "far") => sum(sent.map((of) => of!.dispatch[way] + of!.combine[way])) / tokensOf(runs);
  return { near: bytes("near"), far: bytes("far") };
}

function stepTimes(runs: readonly PlacedRun[]): Record<StepPart, number> {
  const times = Object.fromEntries(stepParts.map((part) => [part, 0])) as Record<StepPart, number>;
  for (const { run } of runs)
    for (const component of timeComponents) times[partOf[component] ?? "rest"] += run.time[component];
  for (const part of stepParts) times[part] /= tokensOf(runs);
  return times;
}
