import type { LiveShape } from "../../calibrate/measured/live-measurements.ts";
import { giveWay } from "../../files/cooperative.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import type { Tfjs } from "../backends/backend.ts";
import type { ExpertBank } from "./expert-bank.ts";
import { ExpertLayer } from "./expert-layer.ts";
import { ExpertSlots } from "./expert-slots.ts";
import { createResidency, type LiveCache } from "./residency.ts";
import { layerCall, type StepPlan } from "./step-rows.ts";

/** What is run: a trace's layers over real experts, of which each layer holds `slots` on the device. */
export interface LiveJob {
  readonly tf: Tfjs;
  readonly table: RoutingTable;
  readonly plan: StepPlan;
  readonly shape: LiveShape;
  readonly bank: ExpertBank;
  readonly cache: LiveCache;
  readonly slots: number;
  /** [layers x experts] uses that a static set is chosen by. */
  readonly popularity: Float64Array;
  /** Nanoseconds of a steady clock. */
  readonly clock: () => number;
  /** Called after every step with the number of those done; what it takes is in no time. */
  readonly between: (steps: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What was measured. */
export interface LiveRun {
  /** Duration of every step that was run. */
  readonly stepNs: Float64Array;
  /** Time of each layer over all steps. */
  readonly layerNs: Float64Array;
  /** Experts found on the device, and those that had to be fetched. */
  readonly hits: number;
  readonly misses: number;
  /** Time between the start of fetching an expert and its tensors being made, over all misses; kernels apart. */
  readonly fetchNs: number;
}

/** Runs all steps, or those until the signal is aborted. */
export async function runLive(job: LiveJob): Promise<LiveRun> {
  const { tf, table, plan, shape, clock } = job;
  const layer = new ExpertLayer(tf, shape);
  const slots: ExpertSlots[] = [];
  for (let l = 0; l < table.layers; l++) {
    const uses = [...job.popularity.subarray(l * table.experts, (l + 1) * table.experts)];
    const residency = createResidency(job.cache, job.slots, uses);
    slots.push(await ExpertSlots.create(tf, job.bank, residency, l * table.experts));
  }
  const stepNs = new Float64Array(plan.steps.length);
  const layerNs = new Float64Array(table.layers);
  const input = new Float32Array(plan.batch * shape.hidden).map((_, i) => ((i % 97) - 48) / 48);
  let fetchNs = 0;
  let done = 0;
  try {
    for (const [s, rows] of plan.steps.entries()) {
      await giveWay();
      if (job.signal.aborted) break;
      // What the step reads of the trace is looked up beforehand: the time is that of the layers.
      const calls = Array.from({ length: table.layers }, (_, l) => layerCall(table, l, rows));
      const started = clock();
      let x = tf.tensor2d(input, [plan.batch, shape.hidden]);
      let before = started;
      for (const [l, call] of calls.entries()) {
        const own = slots[l]!;
        x = await layer.run(x, call, (expert) => {
          const { misses } = own;
          const from = clock();
          const tensors = own.acquire(expert);
          if (own.misses > misses) fetchNs += clock() - from;
          return tensors;
        });
        own.settle(call.experts);
        const now = clock();
        layerNs[l]! += now - before;
        before = now;
      }
      await x.data();
      x.dispose();
      stepNs[s] = clock() - started;
      done++;
      await job.between(done);
    }
  } finally {
    for (const own of slots) own.dispose();
    layer.dispose();
  }
  const sum = (pick: (own: ExpertSlots) => number) => slots.reduce((total, own) => total + pick(own), 0);
  return {
    stepNs: stepNs.slice(0, done),
    layerNs,
    hits: sum((own) => own.hits),
    misses: sum((own) => own.misses),
    fetchNs,
  };
}
