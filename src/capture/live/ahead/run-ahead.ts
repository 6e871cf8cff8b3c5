import type { LiveShape } from "../../../calibrate/measured/live-measurements.ts";
import { holds } from "../../../core/errors.ts";
import { giveWay } from "../../../files/cooperative.ts";
import { Guesses } from "../../../policy/prefetch/guesses.ts";
import type { Prefetcher, PrefetchStep } from "../../../policy/prefetch/prefetcher.ts";
import type { RoutingTable } from "../../../trace/routing-table.ts";
import type { LivePrefetch } from "../../../validate/live/live-prefetch.ts";
import type { MeasuredAhead } from "../../../validate/live/live-validation.ts";
import type { LiveCache } from "../residency.ts";
import { layerCall, type StepPlan } from "../step-rows.ts";
import type { LayerThread } from "./layer-thread.ts";
import { inputOf } from "./layer-threads.ts";
import { SentAhead } from "./sent-ahead.ts";

/** A thread, as a run sees it. */
type Experts = Pick<LayerThread, "send" | "run" | "settle">;

/** A trace's layers over real experts that are sent ahead, and over as many that are fetched on demand. */
export interface AheadJob {
  /** Layers are theirs in turn. Each knows the experts of both runs: 2 x layers x experts. */
  readonly threads: readonly [Experts, Experts];
  readonly table: RoutingTable;
  readonly plan: StepPlan;
  readonly shape: LiveShape;
  /** A static set takes nothing in. */
  readonly cache: LiveCache;
  readonly slots: number;
  readonly prefetch: LivePrefetch;
  /** Nanoseconds of a steady clock. */
  readonly clock: () => number;
  /** Called after every step of both with the number of those done; what it takes is in no time. */
  readonly between: (steps: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Steps that one of the two runs makes before the other one's turn, so that both see the machine at the same times. */
const stepsPerTurn = 5;

/** Runs all steps twice, ahead and on demand by turns, or those until the signal is aborted. */
export async function runAhead(
  job: AheadJob,
): Promise<{ readonly ahead: MeasuredAhead; readonly onDemand: MeasuredAhead }> {
  const { threads, plan, prefetch, between, signal } = job;
  const ahead = new Side(job, 0, prefetch.prepare()({ index: 0, held: null }));
  const onDemand = new Side(job, 1, null);
  const { steps } = plan;
  let done = 0;
  for (let turn = 0; done < steps.length && !signal.aborted; turn++) {
    const to = Math.min(steps.length, done + stepsPerTurn);
    for (const side of turn % 2 === 0 ? [ahead, onDemand] : [onDemand, ahead]) {
      for (let s = done; s < to; s++) {
        await giveWay();
        if (signal.aborted) return { ahead: ahead.read(done), onDemand: onDemand.read(done) };
        await side.step(s);
      }
      // What is still under way must not be in the other one's times.
      for (const thread of threads) await thread.settle();
    }
    for (; done < to; ) await between(++done);
  }
  return { ahead: ahead.read(done), onDemand: onDemand.read(done) };
}

/** One of the two runs. */
class Side {
  readonly #job: AheadJob;
  /** Number of its expert 0 on the threads. */
  readonly #base: number;
  readonly #prefetcher: Prefetcher | null;
  readonly #books: SentAhead;
  readonly #guesses: Guesses;
  readonly #stepNs: Float64Array;
  readonly #layerNs: Float64Array;
  #hits = 0;
  #misses = 0;
  #late = 0;
  #fetchNs = 0;

  constructor(job: AheadJob, index: number, prefetcher: Prefetcher | null) {
    const { layers, experts } = job.table;
    this.#job = job;
    this.#base = index * layers * experts;
    this.#prefetcher = prefetcher;
    this.#books = new SentAhead(layers, job.cache, job.slots, job.prefetch.budget);
    this.#guesses = new Guesses(layers * experts);
    this.#stepNs = new Float64Array(job.plan.steps.length);
    this.#layerNs = new Float64Array(layers);
  }

  async step(s: number): Promise<void> {
    const { table, plan, shape, threads, clock } = this.#job;
    const rows = plan.steps[s]!;
    // What the step reads of the trace is looked up beforehand: the time is that of the layers.
    const calls = Array.from({ length: table.layers }, (_, l) => layerCall(table, l, rows));
    const step: PrefetchStep = {
      rows: Int32Array.from(rows),
      count: rows.length,
      choices: (layer, out) => {
        for (const [i, expert] of calls[layer]!.experts.entries()) out[i] = layer * table.experts + expert;
        return calls[layer]!.experts.length;
      },
    };
    let states = inputOf(plan.batch, shape);
    const started = clock();
    this.#guess(-1, (prefetcher, out) => prefetcher.stepStarts(step, out));
    let before = started;
    for (const [layer, { experts, slots }] of calls.entries()) {
      const first = this.#base + layer * table.experts;
      const { there, leaving } = this.#books.call(layer, experts);
      const number = (expert: number) => first + expert;
      const keys = Uint32Array.from(experts, (expert) => layer * table.experts + expert);
      const done = await threads[layer % 2]!.run(
        { states, batch: plan.batch, experts: experts.map(number), slots, leaving: leaving.map(number) },
        () => this.#guess(layer, (prefetcher, out) => prefetcher.layerChosen(step, layer, keys, keys.length, out)),
      );
      ({ states } = done);
      // The experts on the threads are those of the books.
      holds(
        done.there === there,
        "live-residency",
        () => `${done.there} of ${there} experts are on the thread of layer ${layer}`,
      );
      this.#hits += done.there;
      this.#misses += experts.length - done.there;
      this.#late += done.late;
      this.#fetchNs += done.fetchNs;
      const now = clock();
      this.#layerNs[layer]! += now - before;
      before = now;
    }
    this.#stepNs[s] = clock() - started;
  }

  read(steps: number): MeasuredAhead {
    this.#books.end();
    return {
      stepNs: this.#stepNs.slice(0, steps),
      layerNs: this.#layerNs,
      hits: this.#hits,
      misses: this.#misses,
      fetchNs: this.#fetchNs,
      sent: { ...this.#books.counts, late: this.#late },
    };
  }

  /** Follows what is guessed of the layer behind `layer`, whose thread is not the one that computes. */
  #guess(layer: number, ask: (prefetcher: Prefetcher, out: Guesses) => void): void {
    if (this.#prefetcher === null) return;
    const { table, threads } = this.#job;
    const ahead = layer + 1;
    this.#guesses.clear();
    ask(this.#prefetcher, this.#guesses);
    if (ahead === table.layers) return;
    const guessed = [...this.#guesses.keys.subarray(0, this.#guesses.count)]
      .filter((key) => Math.floor(key / table.experts) === ahead)
      .map((key) => key % table.experts);
    const number = (expert: number) => this.#base + ahead * table.experts + expert;
    for (const { expert, instead } of this.#books.follow(ahead, guessed))
      threads[ahead % 2]!.send(number(expert), instead === null ? null : number(instead));
  }
}
