import type { CallNoise, Timed } from "../../calibrate/measured/live-measurements.ts";
import { quantiles } from "../../core/quantile.ts";
import { RandomStream } from "../../core/random.ts";
import { giveWay } from "../../files/cooperative.ts";

/** Something whose time is measured again and again. */
export interface Probe {
  readonly name: string;
  /** Runs once and returns what it took, ns; set-up is its own affair and not counted. */
  run(): Promise<number>;
}

export interface ProbeOptions {
  /** Rounds that are run and not counted. */
  readonly warmUpRounds: number;
  /** Rounds at least and at most; between them rounds go on until the time is over. */
  readonly roundsMin: number;
  readonly roundsMax: number;
  readonly seconds: number;
  /** Nanoseconds of a steady clock. */
  readonly clock: () => number;
  readonly onProgress?: (share: number) => void;
}

/** Measures probes in rounds, each round in another order, so that a drift of the machine falls on all of them alike. */
export class ProbeRounds {
  /** Of each probe, ns, in the order of the rounds. */
  readonly samples: number[][];
  readonly #probes: readonly Probe[];
  readonly #signal: AbortSignal | undefined;
  readonly #stream = new RandomStream(0, "probe-order");

  constructor(probes: readonly Probe[], signal?: AbortSignal) {
    this.#probes = probes;
    this.#signal = signal;
    this.samples = probes.map(() => []);
  }

  /** Runs every probe once; a round of the warm-up is not counted. */
  async round(counted: boolean): Promise<void> {
    for (const index of this.#stream.shuffle([...this.#probes.keys()])) {
      // Operations of some backends end without the event loop: a signal has to be given its turn.
      await giveWay();
      this.#signal?.throwIfAborted();
      const ns = await this.#probes[index]!.run();
      if (counted) this.samples[index]!.push(ns);
    }
  }
}

/** Rounds of probes until the time is over. */
export async function sampleProbes(rounds: ProbeRounds, options: ProbeOptions): Promise<void> {
  const { warmUpRounds, roundsMin, roundsMax, clock } = options;
  for (let round = 0; round < warmUpRounds; round++) await rounds.round(false);
  const started = clock();
  for (let round = 0; round < roundsMax; round++) {
    const elapsed = (clock() - started) / 1e9;
    if (round >= roundsMin && elapsed > options.seconds) break;
    await rounds.round(true);
    options.onProgress?.(Math.min(1, elapsed / options.seconds));
  }
}

/** Median and spread of samples. */
export function timed(samples: readonly number[]): Timed {
  const [lower = 0, ns = 0, upper = 0] = quantiles(Float64Array.from(samples), [0.25, 0.5, 0.75]);
  return { ns, spread: ns > 0 ? (upper - lower) / ns : 0, samples: samples.length };
}

/** The same for differences of paired samples, over `count` repetitions inside each: what one of them takes. */
export function timedDifference(more: readonly number[], less: readonly number[], count: number): Timed {
  const paired = Math.min(more.length, less.length);
  return timed(Array.from({ length: paired }, (_, i) => Math.max(0, (more[i]! - less[i]!) / count)));
}

/** Quantiles that describe a scatter: every half percent. */
const noiseSteps = 200;

/** How samples of one and the same work scatter. */
export function noiseOf(samples: readonly number[]): CallNoise {
  const values = Float64Array.from(samples);
  const [ns = 0] = quantiles(values, [0.5]);
  const probabilities = Array.from({ length: noiseSteps }, (_, i) => (i + 0.5) / noiseSteps);
  return { ns, ratios: quantiles(values, probabilities).map((value) => (ns > 0 ? value / ns : 1)) };
}

/** Nanoseconds of a clock that never goes back. */
export const steadyNs = (): number => Number(process.hrtime.bigint());
