import { quantiles } from "../../core/quantile.ts";
import { RandomStream } from "../../core/random.ts";
import type { Timed } from "../../forecast/measured/live-measurements.ts";

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
  readonly signal?: AbortSignal;
}

/**
 * Measures all probes in rounds, each round in another order, so that a drift of the machine falls on all of them alike.
 * Returns the samples of each probe, ns, in the order of the rounds.
 */
export async function sampleProbes(probes: readonly Probe[], options: ProbeOptions): Promise<number[][]> {
  const samples: number[][] = probes.map(() => []);
  const stream = new RandomStream(0, "probe-order");
  const { warmUpRounds, roundsMin, roundsMax, clock } = options;
  let started = clock();
  for (let round = 0; round < warmUpRounds + roundsMax; round++) {
    if (round === warmUpRounds) started = clock();
    const elapsed = (clock() - started) / 1e9;
    if (round >= warmUpRounds + roundsMin && elapsed > options.seconds) break;
    for (const index of shuffled(probes.length, stream)) {
      options.signal?.throwIfAborted();
      const ns = await probes[index]!.run();
      if (round >= warmUpRounds) samples[index]!.push(ns);
    }
    options.onProgress?.(round < warmUpRounds ? 0 : Math.min(1, elapsed / options.seconds));
  }
  return samples;
}

function shuffled(count: number, stream: RandomStream): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = stream.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
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
