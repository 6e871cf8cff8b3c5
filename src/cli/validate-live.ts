import { tmpdir } from "node:os";
import { basename } from "node:path";
import { fitLive } from "../calibrate/live/fit-live.ts";
import type { LoadedBackend } from "../capture/backends/backend.ts";
import { chooseBackend } from "../capture/backends/backends.ts";
import { createBank } from "../capture/live/expert-bank.ts";
import { explainLiveFailure, memoryLine, refuseLargeExperts, refuseManyExperts } from "../capture/live/live-memory.ts";
import { liveCaches } from "../capture/live/residency.ts";
import { runLive } from "../capture/live/run-live.ts";
import { layerCall, planSteps, type StepPlan } from "../capture/live/step-rows.ts";
import { measureLayers } from "../capture/measure/layer-measurement.ts";
import { type MachineFigures, measureMachine } from "../capture/measure/measure-live.ts";
import { steadyNs } from "../capture/measure/steady-clock.ts";
import { UsageError } from "../core/errors.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { firstLayers } from "../trace/first-layers.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import { longSequences } from "../trace/long-sequences.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { compareLive, type LivePair, type LiveValidation } from "../validate/live/live-validation.ts";
import { type LiveSetting, predictLive } from "../validate/live/predict-live.ts";
import type { Io } from "./io.ts";
import { liveShape } from "./live-shape.ts";
import { progressLine } from "./progress.ts";
import { oneOf } from "./words.ts";

/** Options of `validate --live`. */
export interface LiveOptions {
  readonly trace?: string;
  readonly backend?: string;
  readonly shape?: string;
  readonly cache?: string;
  readonly slots?: number;
  readonly from?: string;
  readonly batch?: number;
  readonly layers?: number;
  readonly steps?: number;
  readonly runs?: number;
  readonly seconds?: number;
  readonly quiet?: boolean;
}

/** Steps at the start that the times leave out: a hundred, and of few steps a tenth. */
const warmUpOf = (steps: number): number => Math.min(100, Math.ceil(steps / 10));
/** Enough for a p99 with ten steps beyond it. */
const stepsDefault = 1000;

/** Runs real expert layers over a trace, the simulator on the same, and compares. */
export async function validateLive(
  options: LiveOptions,
  { io, signal }: { readonly io: Io; readonly signal: AbortSignal },
): Promise<LiveValidation> {
  const { trace = "", batch = 1 } = options;
  const cache = oneOf(options.cache ?? "lru", liveCaches, "--cache");
  const from = oneOf(options.from ?? "host", ["host", "disk"] as const, "--from");
  const { table, shortSequences } = await readTable(trace, options.layers ?? Number.POSITIVE_INFINITY);
  const shape = { ...liveShape(options.shape ?? "128x256"), experts: table.experts };
  const slots = options.slots ?? Math.ceil(table.experts / 2);
  if (slots > table.experts)
    throw new UsageError(`--slots: expected at most the ${table.experts} experts, found ${slots}`);
  const wanted = options.steps ?? stepsDefault;
  const warmUpSteps = warmUpOf(wanted);
  const plan = planSteps(table, batch, wanted + warmUpSteps);
  const backend = await chooseBackend(options.backend ?? "auto");
  try {
    const setting: LiveSetting = {
      table,
      shape,
      cache,
      slots,
      from,
      popularity: usesOf(table, plan),
      batch,
      requests: plan.requests,
      tokensPerRequest: plan.tokensPerRequest,
    };
    if (options.quiet !== true) io.err(memoryLine(backend, setting));
    refuseLargeExperts("validate --live", backend, shape);
    refuseManyExperts(backend, setting);
    const machine = await machineFigures(backend, setting, plan, { signal, options });
    const pairs: LivePair[] = [];
    const runs = options.runs ?? 3;
    for (let run = 0; run < runs; run++) {
      const progress = options.quiet === true ? null : progressLine(io, `run ${run + 1}`, "steps");
      const pair = await runBeside(backend, machine, setting, plan, {
        signal,
        warmUpSteps,
        onStep: (step) => progress?.update(step, plan.steps.length),
      })
        .catch((error: unknown) => stoppedLater(error, signal, pairs))
        .finally(() => progress?.clear());
      if (pair === null) {
        io.err(`validate --live: ${pairs.length} of ${runs} runs are compared\n`);
        break;
      }
      pairs.push(pair);
    }
    const summary = {
      backend: backend.id,
      layers: table.layers,
      experts: table.experts,
      topK: table.topK,
      shape,
      cache,
      slots,
      from,
      batch,
      shortSequences,
      steps: plan.steps.length,
      warmUpSteps,
    };
    const inputs = [{ role: "routing trace", name: basename(trace), sha256: table.origin.digest }];
    return compareLive(pairs, summary, inputs);
  } catch (error) {
    throw explainLiveFailure("validate --live", error, "lower --slots or --shape");
  } finally {
    backend.close();
  }
}

/** Null for the error of an interrupt after which there are whole runs to report. */
function stoppedLater(error: unknown, signal: AbortSignal, whole: readonly LivePair[]): null {
  if (!signal.aborted || error !== signal.reason || whole.length === 0) throw error;
  return null;
}

/** Shorter sequences are left out where there are others: all that are run together end together. */
const sequenceRowsMin = 16;

async function readTable(path: string, layers: number) {
  const file = await openRoutingTrace(path);
  try {
    const all = await loadRoutingTable(file);
    const table = longSequences(firstLayers(all, layers), sequenceRowsMin);
    return { table, shortSequences: all.sequenceStarts.length - table.sequenceStarts.length };
  } finally {
    await file.close();
  }
}

function measureOptions({ table, shape, cache, slots, batch, from }: LiveSetting, plan: StepPlan, signal: AbortSignal) {
  return {
    shape,
    batch,
    expertsPerCall: meanExpertsPerCall(table, plan),
    residentExperts: Math.max(1, slots * table.layers),
    cache,
    slots,
    diskFolder: from === "disk" ? tmpdir() : null,
    clock: steadyNs,
    date: new Date().toISOString().slice(0, 10),
    signal,
  };
}

function machineFigures(
  backend: LoadedBackend,
  setting: LiveSetting,
  plan: StepPlan,
  { signal, options }: { readonly signal: AbortSignal; readonly options: LiveOptions },
): Promise<MachineFigures> {
  return measureMachine(backend, { ...measureOptions(setting, plan, signal), seconds: options.seconds ?? 3 });
}

/** Rounds of the calibration that are not counted: so many, fewer where they take long, but one. */
const warmUpRounds = 10;
const warmUpNs = 5e9;
/** Steps of the run between two rounds that are counted. */
const stepsPerRound = 5;

/**
 * One run, with the calibration between its steps: machines are slower at some times than at others, and both see the same.
 * The calibration measures calls of its own, at the shapes and counts of the run, never the run.
 */
async function runBeside(
  { tf }: LoadedBackend,
  machine: MachineFigures,
  setting: LiveSetting,
  plan: StepPlan,
  watch: { readonly signal: AbortSignal; readonly warmUpSteps: number; readonly onStep: (step: number) => void },
): Promise<LivePair> {
  const { table, shape, cache, slots, popularity } = setting;
  const { signal, warmUpSteps, onStep } = watch;
  const layers = await measureLayers(tf, measureOptions(setting, plan, signal));
  const bank = createBank(shape, table.layers * table.experts, setting.from);
  try {
    const started = steadyNs();
    for (let round = 0; round < warmUpRounds && (round === 0 || steadyNs() - started < warmUpNs); round++)
      await layers.rounds.round(false);
    const measured = await runLive({
      tf,
      table,
      plan,
      shape,
      bank,
      cache,
      slots,
      popularity,
      signal,
      clock: steadyNs,
      between: async (step) => {
        onStep(step);
        if (step % stepsPerRound === 0) await layers.rounds.round(step > warmUpSteps);
      },
    });
    signal.throwIfAborted();
    const profile = fitLive({ ...machine, ...layers.read() });
    return { profile, prediction: predictLive(profile, setting), measured };
  } finally {
    layers.dispose();
    bank.close();
  }
}

/** Steps looked at for the mean number of experts in a call. */
const sampledSteps = 200;

function meanExpertsPerCall(table: RoutingTable, plan: StepPlan): number {
  const steps = plan.steps.slice(0, sampledSteps);
  let experts = 0;
  for (const rows of steps)
    for (let layer = 0; layer < table.layers; layer++) experts += layerCall(table, layer, rows).experts.length;
  return Math.max(1, Math.round(experts / (steps.length * table.layers)));
}

/** Calls of each expert over the run: what the best fixed set is chosen by. */
function usesOf(table: RoutingTable, plan: StepPlan): Float64Array {
  const uses = new Float64Array(table.layers * table.experts);
  for (const rows of plan.steps)
    for (let layer = 0; layer < table.layers; layer++)
      for (const expert of layerCall(table, layer, rows).experts) uses[layer * table.experts + expert]!++;
  return uses;
}
