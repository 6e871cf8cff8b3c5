import fc from "fast-check";
import { expect } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import type { Guesses } from "../../../src/policy/prefetch/guesses.ts";
import type { PrefetchConfig, SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { type Contention, configOf, contention } from "./contention-cases.ts";
import { type NaivePrefetchCase, type NaivePrefetchResult, runPrefetchNaively } from "./naive-prefetch.ts";

const layers = 4;
const experts = 8;
const topK = 2;
const expertBytes = 3 * 256 * 128 * 2;

/** One device, and a prefetcher that is right about as often as not. */
export const prefetching = fc.record({
  base: contention.map(
    (c): Contention => ({
      ...c,
      replicas: 1,
      ranks: 1,
      stages: 1,
      devicesPerNode: 1,
      hostLinkDevices: 1,
      twoSockets: false,
      hostExperts: null,
      overlap: true,
      direct: false,
    }),
  ),
  distance: fc.integer({ min: 1, max: 4 }),
  budget: fc.integer({ min: 1, max: 8 }),
  chunks: fc.constantFrom(1, 2, 4),
  latencyNs: fc.constantFrom(0, 0, 100.125, 1500, 9000.5),
  preempt: fc.boolean(),
  right: fc.constantFrom(0, 0.3, 0.7, 1),
  wrong: fc.integer({ min: 0, max: 3 }),
  early: fc.boolean(),
  global: fc.boolean(),
});
export type Prefetching = typeof prefetching extends fc.Arbitrary<infer T> ? T : never;

const slotsOf = ({ base, global }: Prefetching) => (global ? 2 : 1) * base.slots;

const askedOf = ({ base }: Prefetching, config: SimConfig, request: number): number[][] => {
  const { routing } = config;
  if (routing.kind !== "replay") throw new Error("replay");
  return Array.from({ length: layers }, (_, layer) => {
    const all: number[] = [];
    for (let token = 0; token < base.tokens; token++) {
      const from = ((request * base.tokens + token) * layers + layer) * topK;
      all.push(...routing.table.ids.subarray(from, from + topK));
    }
    return [...new Set(all)];
  });
};

/** What is guessed when a layer of a request has chosen, -1 for the start of the step: without knowing what the caches hold. */
function guessesOf(p: Prefetching, asked: readonly (readonly number[])[], request: number, layer: number): number[] {
  if (layer < 0 && !p.early) return [];
  const draw = new RandomStream(p.base.seed * 64 + request, `guess ${layer}`);
  const guessed = new Set<number>();
  for (let ahead = layer + 1; ahead <= Math.min(layers - 1, layer + p.distance); ahead++) {
    for (const expert of asked[ahead]!) if (draw.uniform() < p.right) guessed.add(ahead * experts + expert);
    for (let i = 0; i < p.wrong; i++) guessed.add(ahead * experts + draw.below(experts));
  }
  return [...guessed];
}

/** The case without anything sent ahead. */
export function demandConfig(p: Prefetching): SimConfig {
  const config = configOf(p.base);
  return { ...config, offload: { ...config.offload!, scope: p.global ? "global" : "layer", slots: slotsOf(p) } };
}

type GuessOf = (request: number, layer: number, asked: readonly (readonly number[])[]) => readonly number[];

export function prefetchConfig(p: Prefetching, guessOf: GuessOf = randomly(p)): SimConfig {
  const config = demandConfig(p);
  const guess = (rows: Int32Array, layer: number, out: Guesses) => {
    const request = Math.floor(rows[0]! / p.base.tokens);
    for (const key of guessOf(request, layer, askedOf(p, config, request))) out.add(key);
  };
  const prefetch: PrefetchConfig = {
    name: "test",
    budget: p.budget,
    chunks: p.chunks,
    latencyNs: p.latencyNs,
    preempt: p.preempt,
    prepare: () => () => ({
      stepStarts: ({ rows }, out) => guess(rows, -1, out),
      layerChosen: ({ rows }, layer, _keys, _count, out) => guess(rows, layer, out),
    }),
  };
  return { ...config, offload: { ...config.offload!, prefetch } };
}

const randomly =
  (p: Prefetching): GuessOf =>
  (request, layer, asked) =>
    guessesOf(p, asked, request, layer);

/** Knows all layers as far as the distance goes. */
export const perfectly =
  ({ distance }: Prefetching): GuessOf =>
  (_request, layer, asked) =>
    layer < 0
      ? []
      : asked.flatMap((all, ahead) =>
          ahead > layer && ahead <= layer + distance ? all.map((expert) => ahead * experts + expert) : [],
        );

/** The same as plain numbers. */
function naiveOf(p: Prefetching): NaivePrefetchCase {
  const { base } = p;
  const config = configOf(base);
  let atNs = 0;
  return {
    ...p,
    layers,
    experts,
    slots: slotsOf(p),
    linkLatencyNs: base.linkNs,
    linkBytesNs: base.linkBytesNs,
    memoryNs: base.memoryNs,
    memoryLatencyNs: base.memoryLatencyNs,
    kernelNs: base.kernelNs,
    // Four kernels of attention and six of experts.
    layerNs: 10 * base.launchNs,
    hostNs: base.hostNs,
    steps: base.gaps.map((gap, request) => {
      if (request > 0) atNs += gap;
      const asked = askedOf(p, config, request);
      return { atNs, asked, guessed: (layer) => guessesOf(p, asked, request, layer) };
    }),
  };
}

/** Holds the simulator against the plain run, exactly. */
export function judgePrefetch(p: Prefetching): NaivePrefetchResult {
  const naive = runPrefetchNaively(naiveOf(p));
  const { requests, cache, resources } = simulate(prefetchConfig(p));
  const { prefetch } = cache!;
  expect([...requests.firstTokenNs]).toEqual(naive.endNs);
  const { hits, misses, followed, useful, late, evicted, preempted, unused, refused } = naive;
  expect({ hits: cache!.hits, misses: cache!.misses }).toEqual({ hits, misses });
  expect(prefetch).toMatchObject({ followed, useful, late, evicted, preempted, unused, refused });
  expect([cache!.stallNs, prefetch!.lateNs]).toEqual([naive.stallNs, naive.lateNs]);
  const link = resources.find(({ name }) => name.startsWith("host link"))!;
  expect(link.bytes).toBeCloseTo((naive.linkChunks * expertBytes) / p.chunks, 3);
  return naive;
}
