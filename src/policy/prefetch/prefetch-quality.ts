import type { Parameters, ParameterValues } from "../../core/parameters.ts";
import type { RoutingTable } from "../../trace/routing-table.ts";
import { Guesses } from "./guesses.ts";
import type { PrefetchPolicy, PrefetchStep } from "./prefetcher.ts";
import type { QualityMatrix } from "./quality-matrix.ts";
import type { TrainingSplit } from "./training-rows.ts";

export interface QualityOptions {
  /** Layers ahead that are judged. Default 1. */
  readonly distance?: number;
  /** Guesses for one layer that count; default as many as a token chooses. */
  readonly budget?: number;
  /** Sequences that run side by side in a step. Default 1. */
  readonly batch?: number;
  readonly seed?: number;
  /** What the `file` of the prefetcher's parameters holds. Default: no file. */
  readonly quality?: QualityMatrix | null;
}

/** How often a prefetcher was right on rows that it had not learned from. Layers are recorded ones. */
export interface PrefetchQuality extends QualityMatrix {
  readonly prefetcher: string;
  readonly budget: number;
  readonly batch: number;
  readonly trainingRows: number;
  readonly testRows: number;
  readonly modelLayers: readonly number[];
  /** The same by distance alone, over all guesses of all layers. */
  readonly recallByDistance: readonly (number | null)[];
  readonly precisionByDistance: readonly (number | null)[];
}

/**
 * Runs a prefetcher over the test rows of a split, step by step, `batch` sequences side by side, and counts which of its first
 * `budget` guesses for each layer were asked for. Guesses at the start of a step are of distance layer + 1.
 */
export function prefetchQuality<Shape extends Parameters>(
  { training, test }: Pick<TrainingSplit, "training" | "test">,
  policy: PrefetchPolicy<Shape>,
  values: ParameterValues<Shape>,
  { distance = 1, budget = test.topK, batch = 1, seed = 0, quality = null }: QualityOptions = {},
): PrefetchQuality {
  const { layers, experts, topK } = test;
  const prefetcher = policy.prepare(
    {
      layers,
      experts,
      topK,
      distance,
      budget,
      layerMap: Array.from({ length: layers }, (_, layer) => layer),
      replayed: test,
      training,
      quality,
      seed,
    },
    values,
  )({ index: 0, held: null });
  const step = new TestStep(test, batch);
  const tally = new Tally(layers, experts, distance, budget);
  const guesses = new Guesses(layers * experts);
  const keys = new Uint32Array(experts);
  for (const rows of stepsOf(test, batch)) {
    if (step.take(rows)) prefetcher.requestStarts?.();
    guesses.clear();
    prefetcher.stepStarts(step, guesses);
    tally.judge(step, -1, guesses);
    for (let layer = 0; layer < layers; layer++) {
      const count = step.choices(layer, keys);
      guesses.clear();
      prefetcher.layerChosen(step, layer, keys, count, guesses);
      tally.judge(step, layer, guesses);
    }
  }
  return {
    prefetcher: policy.name,
    budget,
    batch,
    trainingRows: training.rows,
    testRows: test.rows,
    modelLayers: test.modelLayers,
    ...tally.result(),
  };
}

/** Rows of each step: sequences side by side in groups of `batch`, each step one row of every sequence that is not over. */
function* stepsOf({ sequenceStarts }: RoutingTable, batch: number): Generator<{ rows: number[]; first: boolean }> {
  const sequences = sequenceStarts.length - 1;
  for (let group = 0; group < sequences; group += batch) {
    const members = Array.from({ length: Math.min(batch, sequences - group) }, (_, i) => group + i);
    const longest = Math.max(...members.map((s) => sequenceStarts[s + 1]! - sequenceStarts[s]!));
    for (let at = 0; at < longest; at++) {
      const running = members.filter((s) => sequenceStarts[s]! + at < sequenceStarts[s + 1]!);
      yield { rows: running.map((s) => sequenceStarts[s]! + at), first: at === 0 };
    }
  }
}

/** A step of the test rows. */
class TestStep implements PrefetchStep {
  readonly rows: Int32Array;
  count = 0;
  readonly #table: RoutingTable;
  readonly #seen: Uint8Array;

  constructor(table: RoutingTable, batch: number) {
    this.#table = table;
    this.rows = new Int32Array(batch);
    this.#seen = new Uint8Array(table.experts);
  }

  /** Takes the rows of the next step; returns whether requests begin with it. */
  take({ rows, first }: { readonly rows: readonly number[]; readonly first: boolean }): boolean {
    this.rows.set(rows);
    this.count = rows.length;
    return first;
  }

  choices(layer: number, out: Uint32Array): number {
    const { ids, layers, topK, experts } = this.#table;
    this.#seen.fill(0);
    let count = 0;
    for (let r = 0; r < this.count; r++) {
      const from = (this.rows[r]! * layers + layer) * topK;
      for (let at = from; at < from + topK; at++) {
        const expert = ids[at]!;
        if (expert >= experts || this.#seen[expert] === 1) continue;
        this.#seen[expert] = 1;
        out[count++] = layer * experts + expert;
      }
    }
    return count;
  }
}

/** Counts of guesses, right ones and experts asked for, by guessed layer and distance. */
class Tally {
  readonly #layers: number;
  readonly #experts: number;
  readonly #distance: number;
  readonly #budget: number;
  readonly #guessed: Float64Array;
  readonly #right: Float64Array;
  readonly #asked: Float64Array;
  readonly #keys: Uint32Array;
  readonly #isAsked: Uint8Array;
  readonly #followed: Uint32Array;

  constructor(layers: number, experts: number, distance: number, budget: number) {
    this.#layers = layers;
    this.#experts = experts;
    this.#distance = distance;
    this.#budget = budget;
    this.#guessed = new Float64Array(layers * distance);
    this.#right = new Float64Array(layers * distance);
    this.#asked = new Float64Array(layers * distance);
    this.#keys = new Uint32Array(experts);
    this.#isAsked = new Uint8Array(layers * experts);
    this.#followed = new Uint32Array(layers);
  }

  /** Judges what was guessed when `layer` had chosen; -1: when the step began. */
  judge(step: PrefetchStep, layer: number, guesses: Guesses): void {
    const last = Math.min(this.#layers - 1, layer + this.#distance);
    this.#isAsked.fill(0, (layer + 1) * this.#experts, (last + 1) * this.#experts);
    for (let ahead = layer + 1; ahead <= last; ahead++) {
      const count = step.choices(ahead, this.#keys);
      this.#asked[this.#at(layer, ahead)]! += count;
      for (let i = 0; i < count; i++) this.#isAsked[this.#keys[i]!] = 1;
      this.#followed[ahead] = 0;
    }
    for (let i = 0; i < guesses.count; i++) {
      const key = guesses.keys[i]!;
      const ahead = Math.floor(key / this.#experts);
      if (ahead <= layer || ahead > last || this.#followed[ahead]! >= this.#budget) continue;
      this.#followed[ahead]!++;
      this.#guessed[this.#at(layer, ahead)]!++;
      this.#right[this.#at(layer, ahead)]! += this.#isAsked[key]!;
    }
  }

  #at = (layer: number, ahead: number): number => ahead * this.#distance + (ahead - layer - 1);

  result() {
    // What nothing was ever guessed for is not judged.
    for (let at = 0; at < this.#asked.length; at++) if (this.#guessed[at] === 0) this.#asked[at] = 0;
    const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
    const matrix = (whole: Float64Array) =>
      Array.from({ length: this.#layers }, (_, layer) =>
        Array.from({ length: this.#distance }, (_none, d) => {
          const at = layer * this.#distance + d;
          return ratio(this.#right[at]!, whole[at]!);
        }),
      );
    const byDistance = (whole: Float64Array) =>
      Array.from({ length: this.#distance }, (_, d) => {
        const over = (counts: Float64Array) =>
          counts.reduce((sum, count, at) => (at % this.#distance === d ? sum + count : sum), 0);
        return ratio(over(this.#right), over(whole));
      });
    return {
      recall: matrix(this.#asked),
      precision: matrix(this.#guessed),
      recallByDistance: byDistance(this.#asked),
      precisionByDistance: byDistance(this.#guessed),
    };
  }
}
