import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SimConfig } from "../../../src/sim/config.ts";
import type { RunResult } from "../../../src/sim/result.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { drawn } from "../../drawn.ts";
import { contention } from "./contention-cases.ts";
import {
  demandConfig,
  judgePrefetch,
  type Prefetching,
  perfectly,
  prefetchConfig,
  prefetching,
} from "./prefetch-cases.ts";

const expertBytes = 3 * 256 * 128 * 2;
const ends = ({ requests }: RunResult) => [...requests.lastTokenNs];

test("experts sent ahead take what they take event by event, to the nanosecond", () => {
  const seen = { followed: 0, useful: 0, late: 0, preempted: 0, evicted: 0, unused: 0, refused: 0 };
  fc.assert(
    fc.property(prefetching, (p) => {
      const naive = judgePrefetch(p);
      for (const key of Object.keys(seen) as (keyof typeof seen)[]) if (naive[key] > 0) seen[key]++;
    }),
    { numRuns: drawn(30), seed: 5 },
  );
  // All that can become of a guess is met.
  for (const cases of Object.values(seen)) expect(cases).toBeGreaterThan(0);
});

describe("on nodes that replicas, ranks and stages share", () => {
  /** Any deployment, with its disks, sockets and common links. */
  const shared = fc
    .record({ p: prefetching, base: contention })
    .map(({ p, base }): Prefetching => ({ ...p, base: { ...base, overlap: true } }));

  test("no law breaks, bytes are conserved, and the same inputs give the same figures", () => {
    const seen = { disks: 0, late: 0, preempted: 0 };
    fc.assert(
      fc.property(shared, (p) => {
        const run = simulate(prefetchConfig(p));
        const { prefetch, diskReads, fetchedBytes, misses } = run.cache!;
        expect(simulate(prefetchConfig(p))).toEqual(run);
        expect(prefetch!.followed).toBe(prefetch!.useful + prefetch!.evicted + prefetch!.preempted + prefetch!.unused);
        expect(prefetch!.wastedBytes).toBeLessThanOrEqual(prefetch!.bytes + 1);
        // Late experts that were still on a disk are fetched as a demand.
        const onDemand = fetchedBytes - prefetch!.bytes;
        expect(onDemand).toBeLessThanOrEqual(misses * expertBytes + 1);
        expect(onDemand).toBeGreaterThanOrEqual((misses - prefetch!.late) * expertBytes - 1);
        if (diskReads > 0) seen.disks++;
        if (prefetch!.late > 0) seen.late++;
        if (prefetch!.preempted > 0) seen.preempted++;
      }),
      { numRuns: drawn(40), seed: 3 },
    );
    for (const cases of Object.values(seen)) expect(cases).toBeGreaterThan(0);
  });

  test("who guesses nothing changes nothing, to the nanosecond", () => {
    fc.assert(
      fc.property(shared, (p) => {
        const without = simulate(demandConfig(p));
        const run = simulate(prefetchConfig(p, () => []));
        expect(ends(run)).toEqual(ends(without));
        expect(run.time).toEqual(without.time);
        expect(run.resources).toEqual(without.resources);
        expect({ ...run.cache, prefetch: undefined }).toEqual({ ...without.cache, prefetch: undefined });
      }),
      { numRuns: drawn(12), seed: 8 },
    );
  });
});

/** Room for all experts, and for all guesses. */
const roomy = (p: Prefetching): Prefetching => ({ ...p, base: { ...p.base, slots: 8 }, budget: 8, global: false });
const distinct = (config: SimConfig, layer: number): number => {
  if (config.routing.kind !== "replay") return 0;
  const { ids, rows, layers, topK } = config.routing.table;
  const seen = new Set<number>();
  for (let row = 0; row < rows; row++) for (let k = 0; k < topK; k++) seen.add(ids[(row * layers + layer) * topK + k]!);
  return seen.size;
};

describe("who knows all that comes", () => {
  test("and has time, waits in the first layer of a step alone", () => {
    fc.assert(
      fc.property(prefetching, (given) => {
        const p = roomy({ ...given, latencyNs: 0 });
        // A layer takes longer than all experts of the layers behind it.
        const slow = { ...p, base: { ...p.base, launchNs: 200_000 } };
        const config = prefetchConfig(slow, perfectly(slow));
        const { cache } = simulate(config);
        expect(cache!.misses).toBe(distinct(config, 0));
        expect([cache!.prefetch!.late, cache!.prefetch!.lateNs, cache!.prefetch!.wastedBytes]).toEqual([0, 0, 0]);
        expect(cache!.prefetch!.useful).toBe([1, 2, 3].reduce((sum, layer) => sum + distinct(config, layer), 0));
      }),
      { numRuns: drawn(10), seed: 2 },
    );
  });

  test("is never later than who fetches on demand, with room for all experts on one device", () => {
    let sooner = 0;
    fc.assert(
      fc.property(prefetching, (given) => {
        const p = roomy({ ...given, chunks: 1, latencyNs: 0 });
        const known = ends(simulate(prefetchConfig(p, perfectly(p))));
        const demanded = ends(simulate(demandConfig(p)));
        for (const [request, ns] of known.entries()) expect(ns).toBeLessThanOrEqual(demanded[request]!);
        if (known.at(-1)! < demanded.at(-1)!) sooner++;
      }),
      { numRuns: drawn(20), seed: 6 },
    );
    expect(sooner).toBeGreaterThan(drawn(20) / 2);
  });
});

test("who is never right hits what a demand cache hits, sends waste, and delays each fetch by a chunk at most", () => {
  fc.assert(
    fc.property(prefetching, (given) => {
      const p = roomy(given);
      /** Nobody ever asks for the upper half of the experts. */
      const lower = (config: SimConfig): SimConfig =>
        config.routing.kind === "replay"
          ? {
              ...config,
              routing: {
                ...config.routing,
                table: { ...config.routing.table, ids: config.routing.table.ids.map((id) => id % 4) },
              },
            }
          : config;
      const wrong = (_request: number, layer: number) =>
        [1, 2, 3].flatMap((ahead) => (ahead > layer ? [8 * ahead + 4 + (p.base.seed % 4), 8 * ahead + 7] : []));
      const none = simulate(lower(demandConfig(p)));
      const run = simulate(lower(prefetchConfig(p, wrong)));
      const { prefetch, hits, misses, stallNs } = run.cache!;
      expect([hits, misses]).toEqual([none.cache!.hits, none.cache!.misses]);
      expect([prefetch!.useful, prefetch!.late]).toEqual([0, 0]);
      expect(prefetch!.wastedBytes).toBeCloseTo(prefetch!.bytes, 3);
      const chunkNs = Math.max(p.base.linkNs + p.base.linkBytesNs / p.chunks, p.base.memoryNs / p.chunks);
      expect(stallNs).toBeGreaterThanOrEqual(none.cache!.stallNs);
      expect(stallNs).toBeLessThanOrEqual(none.cache!.stallNs + misses * chunkNs);
      for (const [request, ns] of ends(run).entries()) expect(ns).toBeGreaterThanOrEqual(ends(none)[request]!);
    }),
    { numRuns: drawn(15), seed: 4 },
  );
});

test("a prefetcher hears once of each request, with its first step", () => {
  const [p] = fc.sample(prefetching, { numRuns: drawn(1), seed: 9 });
  const config = prefetchConfig(p!);
  let starts = 0;
  const prefetch = {
    ...config.offload!.prefetch!,
    prepare: () => () => ({
      stepStarts: () => {},
      layerChosen: () => {},
      requestStarts: () => {
        starts++;
      },
    }),
  };
  simulate({ ...config, offload: { ...config.offload!, prefetch } });
  expect(starts).toBe(p!.base.gaps.length);
});
