import { tmpdir } from "node:os";
import { fitLive } from "../../calibrate/live/fit-live.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import type { LivePair } from "../../validate/live/live-validation.ts";
import { predictLive } from "../../validate/live/predict-live.ts";
import type { LoadedBackend } from "../backends/backend.ts";
import { measureLayers } from "../measure/layer-measurement.ts";
import { type MachineFigures, type MeasureOptions, measureMachine } from "../measure/measure-live.ts";
import { startThreads, threadProbes } from "./ahead/layer-threads.ts";
import { runAhead } from "./ahead/run-ahead.ts";
import { createBank } from "./expert-bank.ts";
import type { PlannedRun } from "./planned-run.ts";
import { runLive } from "./run-live.ts";
import { layerCall, type StepPlan } from "./step-rows.ts";

/** How far a run is. */
export interface RunWatch {
  readonly update: (step: number, steps: number) => void;
  /** The run is over, whole or not. */
  readonly clear: () => void;
}

/** How a planned run is made. */
export interface LiveRuns extends Pick<MeasureOptions, "seconds" | "date" | "clock"> {
  readonly runs: number;
  readonly signal: AbortSignal;
  /** Called before each run. */
  readonly watch: (run: number) => RunWatch | null;
}

/**
 * Runs real expert layers, and the simulator on the same. There are fewer pairs than runs where the signal ends a run
 * that is not the first.
 */
export async function runPairs(backend: LoadedBackend, planned: PlannedRun, how: LiveRuns): Promise<LivePair[]> {
  const machine = await measureMachine(backend, measureOptions(planned, how));
  const pairs: LivePair[] = [];
  for (let run = 0; run < how.runs; run++) {
    const watch = how.watch(run);
    try {
      pairs.push(await runBeside(backend, machine, planned, { how, watch }));
    } catch (error) {
      if (!how.signal.aborted || error !== how.signal.reason || pairs.length === 0) throw error;
      break;
    } finally {
      watch?.clear();
    }
  }
  return pairs;
}

function measureOptions({ setting, plan }: PlannedRun, { seconds, date, clock, signal }: LiveRuns): MeasureOptions {
  const { table, shape, cache, slots, batch, from } = setting;
  return {
    shape,
    batch,
    expertsPerCall: meanExpertsPerCall(table, plan),
    residentExperts: Math.max(1, slots * table.layers),
    cache,
    slots,
    diskFolder: from === "disk" ? tmpdir() : null,
    clock,
    date,
    signal,
    seconds,
  };
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
  backend: LoadedBackend,
  machine: MachineFigures,
  planned: PlannedRun,
  { how, watch }: { readonly how: LiveRuns; readonly watch: RunWatch | null },
): Promise<LivePair> {
  const { tf } = backend;
  const { setting, plan, warmUpSteps } = planned;
  const { table, shape, cache, slots, popularity, prefetch } = setting;
  const { clock, signal } = how;
  const layers = await measureLayers(tf, measureOptions(planned, how));
  const bank = createBank(shape, table.layers * table.experts, setting.from, { shared: prefetch !== null });
  const threads = prefetch === null ? null : await startThreads(backend.id, setting, bank);
  const probes = threads === null ? null : threadProbes(threads, setting, clock);
  const round = async (counted: boolean): Promise<void> => {
    await layers.rounds.round(counted);
    await probes?.rounds.round(counted);
  };
  try {
    const started = clock();
    for (let r = 0; r < warmUpRounds && (r === 0 || clock() - started < warmUpNs); r++) await round(false);
    const common = {
      table,
      plan,
      shape,
      slots,
      signal,
      clock,
      between: async (step: number) => {
        watch?.update(step, plan.steps.length);
        if (step % stepsPerRound === 0) await round(step > warmUpSteps);
      },
    };
    const measured =
      threads === null
        ? { ahead: await runLive({ ...common, tf, bank, cache, popularity }), onDemand: null }
        : await runAhead({ ...common, threads, cache, prefetch: prefetch! });
    signal.throwIfAborted();
    const profile = fitLive({ ...machine, ...layers.read(), ...probes?.read() });
    const threadOverlap = probes?.overlap();
    const prediction = predictLive(profile, setting, threadOverlap);
    return {
      profile,
      prediction,
      measured: measured.ahead,
      ...(measured.onDemand === null || threadOverlap === undefined
        ? {}
        : {
            onDemand: {
              prediction: predictLive(profile, { ...setting, prefetch: null }),
              measured: measured.onDemand,
              threadOverlap,
            },
          }),
    };
  } finally {
    for (const thread of threads ?? []) await thread.close();
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
