import { openRoutingTrace } from "../../trace/container/open-trace.ts";
import { loadRoutingTable } from "../../trace/load-routing.ts";
import { firstLayers, longSequences } from "../../trace/parts-of-table.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import type { LiveSettingSummary } from "../../validate/live/live-validation.ts";
import type { LiveSetting } from "../../validate/live/predict-live.ts";
import type { LoadedBackend } from "../backends/backend.ts";
import { layerCall, planSteps, type StepPlan } from "./step-rows.ts";

/** The rows of a trace that can be run side by side. */
export interface LiveTrace {
  readonly table: RoutingTable;
  /** Sequences that were too short to be run. */
  readonly shortSequences: number;
}

/** What is run live and simulated alike, and the rows that its steps read. */
export interface PlannedRun {
  readonly trace: LiveTrace;
  readonly setting: LiveSetting;
  readonly plan: StepPlan;
  /** Steps at the start that the times leave out. */
  readonly warmUpSteps: number;
}

/** Shorter sequences are left out where there are others: all that are run together end together. */
const sequenceRowsMin = 16;

/** Reads the first `layers` layers of a trace. */
export async function readLiveTrace(path: string, layers: number): Promise<LiveTrace> {
  const file = await openRoutingTrace(path);
  try {
    const all = await loadRoutingTable(file);
    const table = longSequences(firstLayers(all, layers), sequenceRowsMin);
    return { table, shortSequences: all.sequenceStarts.length - table.sequenceStarts.length };
  } finally {
    await file.close();
  }
}

/** A hundred, and of few steps a tenth. */
const warmUpOf = (steps: number): number => Math.min(100, Math.ceil(steps / 10));

/** A run of at least `steps` steps that are counted, after those of a warm-up. */
export function planRun(
  trace: LiveTrace,
  chosen: Pick<LiveSetting, "shape" | "cache" | "slots" | "from" | "batch" | "prefetch">,
  steps: number,
): PlannedRun {
  const { table } = trace;
  const warmUpSteps = warmUpOf(steps);
  const plan = planSteps(table, chosen.batch, steps + warmUpSteps);
  const setting = {
    ...chosen,
    table,
    popularity: usesOf(table, plan),
    requests: plan.requests,
    tokensPerRequest: plan.tokensPerRequest,
  };
  return { trace, setting, plan, warmUpSteps };
}

/** Calls of each expert over the run: what the best fixed set is chosen by. */
function usesOf(table: RoutingTable, plan: StepPlan): Float64Array {
  const uses = new Float64Array(table.layers * table.experts);
  for (const rows of plan.steps)
    for (let layer = 0; layer < table.layers; layer++)
      for (const expert of layerCall(table, layer, rows).experts) uses[layer * table.experts + expert]!++;
  return uses;
}

/** A planned run as the validation document states it. */
export function summaryOf(
  { trace, setting, plan, warmUpSteps }: PlannedRun,
  backend: LoadedBackend,
): LiveSettingSummary {
  const { table, shape, cache, slots, from, batch, prefetch } = setting;
  return {
    backend: backend.id,
    layers: table.layers,
    experts: table.experts,
    topK: table.topK,
    shape,
    cache,
    slots,
    from,
    batch,
    prefetch:
      prefetch === null ? null : { kind: prefetch.name, trainingRows: prefetch.trainingRows, cut: prefetch.cut },
    shortSequences: trace.shortSequences,
    steps: plan.steps.length,
    warmUpSteps,
  };
}
